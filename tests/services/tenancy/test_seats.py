"""The promise under many at once: seats are never more than the plan's, and always members plus pending invitations."""

import asyncio
import random

import pytest

from contracts.common import Plan, Role
from contracts.tenancy import v1 as tenancy
from services.tenancy.invitations.usecases import answers, offers
from services.tenancy.members import usecases as members
from services.tenancy.organizations.model import SEATS
from tests.services.tenancy.world import InterleavingTable, World, before_next_write, email_of, is_problem


@pytest.fixture
def crowded() -> World:
    return World(InterleavingTable())


async def test_two_hundred_invitations_at_once_never_pass_the_limit(crowded: World) -> None:
    org_id = await crowded.organization(plan=Plan.STARTER)
    scope = crowded.sut.scope(org_id=org_id)
    outcomes = await asyncio.gather(
        *(offers.invite(scope, f"p{number}@acme.example", Role.MEMBER) for number in range(200)),
        return_exceptions=True,
    )
    invited = [each for each in outcomes if not isinstance(each, BaseException)]
    assert len(invited) == SEATS[Plan.STARTER] - 1
    assert await crowded.seats(org_id) == SEATS[Plan.STARTER]
    assert len(await crowded.events(tenancy.InvitationCreated)) == len(invited)
    assert {str(each) for each in outcomes if isinstance(each, BaseException)} == {
        "All 50 seats of the plan starter are taken."
    }


async def test_one_address_invited_by_many_at_once_is_invited_once(crowded: World) -> None:
    org_id = await crowded.organization()
    answers = await asyncio.gather(*(crowded.invite(org_id, "bo@acme.example") for _ in range(20)))
    assert sorted(answer.status_code for answer in answers) == [201] + [409] * 19
    assert await crowded.seats(org_id) == 2


async def test_one_slug_taken_by_many_at_once_is_taken_once(crowded: World) -> None:
    body = {"name": "Acme", "slug": "acme"}
    answers = await asyncio.gather(*(crowded.call(f"u{n}", "POST", "/organizations", body) for n in range(20)))
    assert sorted(answer.status_code for answer in answers) == [201] + [409] * 19


async def test_a_token_used_many_times_at_once_has_one_effect(crowded: World) -> None:
    org_id = await crowded.organization()
    await crowded.invite(org_id, "bo@acme.example")
    answers = await asyncio.gather(*(crowded.accept("bo", "token-1") for _ in range(10)))
    assert {(answer.status_code, answer.json()["org_id"]) for answer in answers} == {(200, org_id)}
    assert len(await crowded.events(tenancy.InvitationAccepted)) == 1
    assert await crowded.seats(org_id) == 2


async def test_a_plan_that_shrinks_under_an_invitation_counts(crowded: World) -> None:
    """The invitation has read the larger plan when the smaller one is committed."""
    org_id = await crowded.organization()
    await crowded.invite(org_id, "bo@acme.example")
    await crowded.invite(org_id, "cy@acme.example")
    before_next_write(crowded, lambda: crowded.call("ada", "PUT", f"/organizations/{org_id}/plan", {"plan": "free"}))
    assert is_problem(await crowded.invite(org_id, "di@acme.example"), 409, "limit-reached", "plan free")
    assert await crowded.seats(org_id) == SEATS[Plan.FREE]


async def test_expired_invitations_released_by_many_at_once_free_their_seats_once(crowded: World) -> None:
    org_id = await crowded.organization(plan=Plan.FREE)
    await crowded.invite(org_id, "bo@acme.example")
    await crowded.invite(org_id, "cy@acme.example")
    crowded.sut.clock.advance(days=14)
    answers = await asyncio.gather(*(crowded.invite(org_id, f"p{number}@acme.example") for number in range(5)))
    assert sorted(answer.status_code for answer in answers) == [201, 201, 409, 409, 409]
    assert await crowded.seats(org_id) == SEATS[Plan.FREE]


@pytest.mark.parametrize("seed", range(5))
async def test_seats_are_members_and_pending_invitations(crowded: World, seed: int) -> None:
    org_id = await crowded.organization(plan=Plan.FREE)
    people = ["bo", "cy", "di", "ed"]
    rng = random.Random(seed)

    async def act() -> None:
        user = rng.choice(people)
        scope = crowded.sut.scope(org_id=org_id)
        match rng.choice(["invite", "invite", "accept", "accept", "decline", "revoke", "remove", "wait"]):
            case "invite":
                await offers.invite(scope, email_of(user), Role.MEMBER)
            case "accept":
                await answers.accept(crowded.sut.user_scope(f"user_{user}"), await crowded.token_for(email_of(user)))
            case "decline":
                await answers.decline(crowded.sut.user_scope(f"user_{user}"), await crowded.token_for(email_of(user)))
            case "revoke":
                created = await crowded.events(tenancy.InvitationCreated)
                await offers.revoke(scope, rng.choice(created).data["invitation_id"])
            case "remove":
                await members.remove(scope, f"user_{user}")
            case "wait":
                crowded.sut.clock.advance(days=rng.choice([0, 0, 5]))

    for _ in range(60):
        await asyncio.gather(*(act() for _ in range(rng.randint(1, 4))), return_exceptions=True)
        # An expired invitation keeps its seat until somebody needs it.
        stored = [
            item
            for item in getattr(crowded.sut.table, "items").values()  # noqa: B009
            if item["PK"].startswith(f"ORG#{org_id}#INVITATION#") and item["status"] == "pending"
        ]
        taken = len(await crowded.members(org_id)) + len(stored)
        assert await crowded.seats(org_id) == taken <= SEATS[Plan.FREE], f"seed {seed}"
    assert {each.type.split(".")[2] for each in await crowded.events()} >= {
        "removed",
        "accepted",
        "declined",
        "revoked",
    }
