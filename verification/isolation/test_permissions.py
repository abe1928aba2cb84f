"""Every operation, by every role: allowed or refused as the tables say, over HTTP."""

import json
from collections.abc import Mapping

import pytest

from chassis.auth.api_key_format import format_key
from contracts.common import Role
from contracts.permissions import OPERATIONS
from deploy.checks.permissions import permissions_of
from deploy.services import service_names
from verification.isolation.people import MARKER
from verification.isolation.programs import HEADER, SECRET, program
from verification.isolation.requests import Route, Template, routes_of, templates_of
from verification.isolation.samples import Choose, victims
from verification.isolation.seeds import world_of
from verification.isolation.world import Outcome, World


def about(user_id: str) -> Choose:
    """The victim's own ids, with this person where a person is named."""
    return lambda place: user_id if place.label == "path.user_id" else victims(place)


async def sent(
    world: World,
    template: Template,
    role: Role,
    choose: Choose,
    *,
    grants: tuple[str, ...] = (),
    denies: tuple[str, ...] = (),
) -> Outcome:
    """What somebody with that role and those overrides, in their own organization, is answered."""
    world.restore()
    person = world.by_role[role]
    world.override(person, grants=grants, denies=denies)
    claims = person.claims(world.victim_org, role).model_copy(update={"grants": grants, "denies": denies})
    return await world.send(template.filled(choose), world.token(claims))


async def judged(world: World, outcome: Outcome, operations: Mapping[str, Role], role: Role, name: str) -> None:
    least = max(operations.values(), key=list(Role).index)
    where = f"{name} as {role}: {outcome.status} {outcome.body}"
    if role.covers(least):
        assert outcome.status not in {401, 403}, where
        assert outcome.status < 500, where
    else:
        assert outcome.status == 403, where
        assert json.loads(outcome.body)["operation"] in operations, where
        [record] = await world.denials()
        assert (record.actor, record.orgid) == (world.by_role[role].id, world.victim_org), where
        assert (record.data["operation"], record.data["reason"]) == (operation_of(outcome), "role"), where


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
            outcome = await sent(world, template, role, about(other.id))
            await judged(world, outcome, asked | sometimes, role, route.name)
            if sometimes:
                themselves = await sent(world, template, role, about(world.by_role[role].id))
                await judged(world, themselves, asked, role, f"{route.name} of themselves")
    assert tested == set(permissions_of(service))


@pytest.mark.parametrize("service", service_names())
async def test_a_grant_does_what_the_role_does_not_and_a_denial_undoes_both(service: str) -> None:
    """Every operation, for the role just below the least that may it and for the owner; conditional ones too."""
    world = await world_of(service)
    for route in (each for each in routes_of(world) if each.access == "guarded"):
        asked, sometimes = operations_of(route)
        template = templates_of(world, route)[0]
        whom = about(world.by_role[Role.VIEWER].id)
        for operation, least in (asked | sometimes).items():
            where = f"{route.name}, {operation}"
            below = [role for role in Role if not role.covers(least)][-1:]
            for role in below:
                outcome = await sent(world, template, role, whom)
                assert (outcome.status, operation_of(outcome)) == (403, operation), f"{where} as {role}"
                outcome = await sent(world, template, role, whom, grants=(operation,))
                assert outcome.status not in {401, 403}, f"{where} as {role}, granted: {outcome.body}"
            for role in (*below, Role.OWNER):
                overrides = {"grants": (operation,), "denies": (operation,)}
                outcome = await sent(world, template, role, whom, **overrides)
                assert (outcome.status, operation_of(outcome)) == (403, operation), f"{where} as {role}, denied"


@pytest.mark.parametrize("service", service_names())
async def test_what_is_granted_is_nothing_else(service: str) -> None:
    world = await world_of(service)
    for route in (each for each in routes_of(world) if each.access == "guarded"):
        asked, _ = operations_of(route)
        others = tuple(sorted(permissions_of(service).keys() - asked.keys()))
        template = templates_of(world, route)[0]
        if list(asked.values()) != [Role.VIEWER]:
            outcome = await sent(world, template, Role.VIEWER, victims, grants=others)
            assert (outcome.status, operation_of(outcome)) == (403, *asked), route.name


def operation_of(outcome: Outcome) -> str | None:
    found: str | None = json.loads(outcome.body).get("operation") if outcome.body else None
    return found


PEOPLE_ONLY = frozenset({"identity.api_key.create", "identity.api_key.rotate"})
"""A program's key cannot make another secret, whatever its scopes."""
GIVES = frozenset({"tenancy.member.change_permissions"})
"""Nobody gives what they may not do themselves: a program needs the scopes for what it gives, too."""


@pytest.mark.parametrize("service", service_names())
async def test_a_program_may_what_its_scopes_say_and_nothing_else(service: str) -> None:
    world = await world_of(service)
    every = permissions_of(service)
    for operation in every:
        others = [each for each in every if each != operation]
        await program(
            world,
            world.victim_org,
            world.vera.id,
            _name(operation, "only"),
            *(OPERATIONS if operation in GIVES else [operation]),
        )
        await program(world, world.victim_org, world.vera.id, _name(operation, "others"), *others)
    world.save()
    for route in (each for each in routes_of(world) if each.access == "guarded"):
        asked, sometimes = operations_of(route)
        [operation] = asked
        template = templates_of(world, route)[0]
        for name, allowed in (("only", operation not in PEOPLE_ONLY and not sometimes), ("others", False)):
            world.restore()
            key = format_key(world.victim_org, f"key_{MARKER}{_name(operation, name)}", SECRET)
            request = template.filled(about(world.by_role[Role.VIEWER].id))
            request.headers |= {HEADER: key}
            outcome = await world.send(request, None)
            where = f"{route.name} with {name} {operation}: {outcome.status} {outcome.body}"
            assert outcome.status < 500, where
            assert outcome.status not in {401, 403} if allowed else outcome.status == 403, where


def _name(operation: str, name: str) -> str:
    return f"{operation.replace('.', '').replace('_', '')}{name}"
