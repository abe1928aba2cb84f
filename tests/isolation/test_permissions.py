"""Every operation, by every role: allowed or refused as the tables say, over HTTP."""

import json
from collections.abc import Mapping

import pytest

from contracts.common import Role
from deploy.permissions import permissions_of
from deploy.services import service_names
from tests.isolation.requests import Route, Template, routes_of, templates_of
from tests.isolation.samples import Choose, victims
from tests.isolation.seeds import world_of
from tests.isolation.world import Outcome, World


def about(user_id: str) -> Choose:
    """The victim's own ids, with this person where a person is named."""
    return lambda place: user_id if place.label == "path.user_id" else victims(place)


async def sent(world: World, template: Template, role: Role, choose: Choose) -> Outcome:
    """What somebody with that role, in their own organization, is answered."""
    world.restore()
    person = world.by_role[role]
    return await world.send(template.filled(choose), world.token(person.claims(world.victim_org, role)))


def judged(outcome: Outcome, operations: Mapping[str, Role], role: Role, name: str) -> None:
    least = max(operations.values(), key=list(Role).index)
    where = f"{name} as {role}: {outcome.status} {outcome.body}"
    if role.covers(least):
        assert outcome.status not in {401, 403}, where
        assert outcome.status < 500, where
    else:
        assert outcome.status == 403, where
        assert json.loads(outcome.body)["operation"] in operations, where


def operations_of(route: Route) -> tuple[dict[str, Role], dict[str, Role]]:
    """What a guarded route asks of everybody, and what depending on whom it is about."""
    asked = {route.operation["x-operation"]: Role(route.operation["x-required-role"])}
    sometimes = {name: Role(role) for name, role in route.operation.get("x-conditional-roles", {}).items()}
    return asked, sometimes


@pytest.mark.parametrize("service", service_names())
async def test_each_role_may_what_the_tables_say_and_nothing_else(service: str) -> None:
    world = await world_of(service)
    tested: set[str] = set()
    for route in (each for each in routes_of(world) if each.access == "guarded"):
        asked, sometimes = operations_of(route)
        tested |= asked.keys() | sometimes.keys()
        template = templates_of(world, route)[0]
        for role in Role:
            other = world.by_role[Role.MEMBER if role is Role.VIEWER else Role.VIEWER]
            judged(await sent(world, template, role, about(other.id)), asked | sometimes, role, route.name)
            if sometimes:
                themselves = await sent(world, template, role, about(world.by_role[role].id))
                judged(themselves, asked, role, f"{route.name} of themselves")
    assert tested == set(permissions_of(service))
