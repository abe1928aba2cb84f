"""Tenancy on moto: the promises that tests on the memory table show, kept by DynamoDB's own conditions."""

import asyncio
from collections.abc import Iterator, Mapping
from typing import Any

import boto3
import pytest
from moto import mock_aws

from chassis.aws.dynamodb import DynamoTable
from chassis.declare.resource_names import Names
from contracts.common import Plan, Role
from contracts.tenancy import v1 as tenancy
from deploy.template import Target
from deploy.template.table import TABLE, table
from services.tenancy.service import service
from tests.chassis.backends import Boto3Calls
from tests.services.tenancy.world import World, email_of, is_problem

REGION = "eu-central-1"
NAMES = Names("test")


class BotoCalls(Boto3Calls):
    """Lets others run before every call, as a network does."""

    async def call(
        self, service: str, operation: str, params: Mapping[str, Any], *, timeout: float | None = None
    ) -> dict[str, Any]:
        await asyncio.sleep(0)
        return await super().call(service, operation, params, timeout=timeout)


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    with mock_aws():
        client = boto3.client("dynamodb", region_name=REGION)
        properties = table(service, Target(NAMES.stage))[TABLE]["Properties"]
        declared = {"TableName", "BillingMode", "AttributeDefinitions", "KeySchema", "GlobalSecondaryIndexes"}
        client.create_table(**{name: value for name, value in properties.items() if name in declared})
        yield World(DynamoTable(BotoCalls(client), NAMES.table("tenancy")))


async def test_invitations_from_beginning_to_end(world: World) -> None:
    org_id = await world.organization()
    await world.join(org_id, "bo", Role.ADMIN)
    assert is_problem(await world.invite(org_id, email_of("bo")), 409, "already-exists", "member")
    invitation_id = (await world.invite(org_id, email_of("cy"))).json()["id"]
    assert is_problem(await world.invite(org_id, email_of("cy")), 409, "already-exists", "pending")
    assert await world.seats(org_id) == 3
    await world.call("ada", "DELETE", f"/organizations/{org_id}/invitations/{invitation_id}")
    await world.join(org_id, "cy")
    await world.remove(org_id, "ada", "cy")
    assert is_problem(await world.remove(org_id, "ada", "ada"), 409, "conflict", "owner")
    await world.join(org_id, "cy", Role.OWNER)
    await world.remove(org_id, "ada", "ada")
    assert await world.members(org_id, "bo") == {"bo": "admin", "cy": "owner"}
    assert [each["id"] for each in (await world.call("cy", "GET", "/organizations")).json()["items"]] == [org_id]
    assert (await world.call("ada", "GET", "/organizations")).json()["items"] == []
    assert await world.seats(org_id) == 2


async def test_many_at_once_never_pass_the_limit(world: World) -> None:
    org_id = await world.organization(plan=Plan.FREE)
    answers = await asyncio.gather(*(world.invite(org_id, f"p{number}@acme.example") for number in range(12)))
    assert sorted(answer.status_code for answer in answers) == [201] * 2 + [409] * 10
    assert await world.seats(org_id) == 3
    assert len(await world.events(tenancy.InvitationCreated)) == 2


async def test_seats_in_use_keep_the_plan_and_expired_ones_do_not(world: World) -> None:
    org_id = await world.organization()
    for number in range(3):
        await world.invite(org_id, f"p{number}@acme.example")
    path = f"/organizations/{org_id}/plan"
    assert is_problem(await world.call("ada", "PUT", path, {"plan": "free"}), 409, "limit-reached")
    world.sut.clock.advance(days=14)
    assert (await world.call("ada", "PUT", path, {"plan": "free"})).status_code == 200
    assert await world.seats(org_id) == 1


async def test_a_repeated_request_finds_what_its_first_try_made(world: World) -> None:
    body = {"name": "Acme", "slug": "acme"}
    first = await world.call("ada", "POST", "/organizations", body, key="k")
    assert (await world.call("ada", "POST", "/organizations", body, key="k")).json() == first.json()
    taken = await world.call("bo", "POST", "/organizations", body)
    assert is_problem(taken, 409, "already-exists", "acme")
