"""Every operation by every role, over HTTP: allowed or refused as the permission tables say."""

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
    """Choose the victim's ids, and this person for a person in the path."""
    return lambda slot: user_id if slot.label == "path.user_id" else victims(slot)


async def send_as(
    world: World,
    template: Template,
    role: Role,
    choose: Choose,
    *,
    grants: tuple[str, ...] = (),
    denies: tuple[str, ...] = (),
) -> Outcome:
    """The answer to a member with that role and those overrides in their own organization."""
    world.restore()
    person = world.by_role[role]
    world.override(person, grants=grants, denies=denies)
    claims = person.claims(world.victim_org, role).model_copy(update={"grants": grants, "denies": denies})
    return await world.send(template.fill(choose), world.token(claims))


async def check_outcome(world: World, outcome: Outcome, operations: Mapping[str, Role], role: Role, name: str) -> None:
    """Check that a request was allowed or refused as the role requires, and that a refusal was recorded."""
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
    """Operations that a guarded route always requires, and those that depend on the person in the path."""
    always = {route.operation["x-operation"]: Role(route.operation["x-required-role"])}
    sometimes = {name: Role(role) for name, role in route.operation.get("x-conditional-roles", {}).items()}
    return always, sometimes


@pytest.mark.parametrize("service", service_names())
async def test_each_role_has_exactly_the_permissions_of_the_tables(service: str) -> None:
    world = await world_of(service)
    tested: set[str] = set()
    for route in (each for each in routes_of(world) if each.access == "guarded"):
        always, sometimes = operations_of(route)
        tested |= always.keys() | sometimes.keys()
        template = templates_of(world, route)[0]
        for role in Role:
            other = world.by_role[Role.MEMBER if role is Role.VIEWER else Role.VIEWER]
            outcome = await send_as(world, template, role, about(other.id))
            await check_outcome(world, outcome, always | sometimes, role, route.name)
            if sometimes:
                themselves = await send_as(world, template, role, about(world.by_role[role].id))
                await check_outcome(world, themselves, always, role, f"{route.name} of themselves")
    assert tested == set(permissions_of(service))


@pytest.mark.parametrize("service", service_names())
async def test_a_grant_adds_to_the_role_and_a_denial_overrides_both(service: str) -> None:
    """Every operation, for the highest role without it and for the owner; also conditional ones."""
    world = await world_of(service)
    for route in (each for each in routes_of(world) if each.access == "guarded"):
        always, sometimes = operations_of(route)
        template = templates_of(world, route)[0]
        choose = about(world.by_role[Role.VIEWER].id)
        for operation, least in (always | sometimes).items():
            where = f"{route.name}, {operation}"
            below = [role for role in Role if not role.covers(least)][-1:]
            for role in below:
                outcome = await send_as(world, template, role, choose)
                assert (outcome.status, operation_of(outcome)) == (403, operation), f"{where} as {role}"
                outcome = await send_as(world, template, role, choose, grants=(operation,))
                assert outcome.status not in {401, 403}, f"{where} as {role}, granted: {outcome.body}"
            for role in (*below, Role.OWNER):
                overrides = {"grants": (operation,), "denies": (operation,)}
                outcome = await send_as(world, template, role, choose, **overrides)
                assert (outcome.status, operation_of(outcome)) == (403, operation), f"{where} as {role}, denied"


@pytest.mark.parametrize("service", service_names())
async def test_a_grant_adds_nothing_else(service: str) -> None:
    world = await world_of(service)
    for route in (each for each in routes_of(world) if each.access == "guarded"):
        always, _ = operations_of(route)
        others = tuple(sorted(permissions_of(service).keys() - always.keys()))
        template = templates_of(world, route)[0]
        if list(always.values()) != [Role.VIEWER]:
            outcome = await send_as(world, template, Role.VIEWER, victims, grants=others)
            assert (outcome.status, operation_of(outcome)) == (403, *always), route.name


def operation_of(outcome: Outcome) -> str | None:
    operation: str | None = json.loads(outcome.body).get("operation") if outcome.body else None
    return operation


PEOPLE_ONLY = frozenset({"identity.api_key.create", "identity.api_key.rotate"})
"""Operations that need a person: an API key cannot create another secret, whatever its scopes."""
GRANTING = frozenset({"tenancy.member.change_permissions"})
"""Operations that grant others: nobody can grant a permission that they do not have, so all scopes are needed."""


@pytest.mark.parametrize("service", service_names())
async def test_a_program_has_exactly_the_permissions_of_its_scopes(service: str) -> None:
    world = await world_of(service)
    every = permissions_of(service)
    for operation in every:
        others = [each for each in every if each != operation]
        await program(
            world,
            world.victim_org,
            world.vera.id,
            _key_name(operation, "only"),
            *(OPERATIONS if operation in GRANTING else [operation]),
        )
        await program(world, world.victim_org, world.vera.id, _key_name(operation, "others"), *others)
    world.save()
    for route in (each for each in routes_of(world) if each.access == "guarded"):
        always, sometimes = operations_of(route)
        [operation] = always
        template = templates_of(world, route)[0]
        for name, allowed in (("only", operation not in PEOPLE_ONLY and not sometimes), ("others", False)):
            world.restore()
            key = format_key(world.victim_org, f"key_{MARKER}{_key_name(operation, name)}", SECRET)
            request = template.fill(about(world.by_role[Role.VIEWER].id))
            request.headers |= {HEADER: key}
            outcome = await world.send(request, None)
            where = f"{route.name} with {name} {operation}: {outcome.status} {outcome.body}"
            assert outcome.status < 500, where
            assert outcome.status not in {401, 403} if allowed else outcome.status == 403, where


def _key_name(operation: str, name: str) -> str:
    return f"{operation.replace('.', '').replace('_', '')}{name}"
