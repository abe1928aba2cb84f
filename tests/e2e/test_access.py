"""How soon a change of membership changes what a token is good for, on the real system: the token itself lives on.

The change is one service's, the refusal another's: what lies between is one delivery of an event.
"""

import time
from typing import Any

import aiohttp
import pytest

from deploy.local.system import LocalSystem
from examples.first_day.client import Answer, Api, Person
from examples.first_day.mail import Mailroom

pytestmark = [pytest.mark.slow, pytest.mark.e2e, pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(300)]
DEADLINE = 1.0
"""Seconds, for the fastest of all that tried: a machine that is busy with something else may delay some."""
PATIENCE = 30.0
AUDIT, PROJECTS = "/v1/audit/records", "/v1/projects"
PLACE = "access.example"


async def registered(api: Api, mailroom: Mailroom, name: str, invitation: str | None = None) -> Person:
    person = Person(api, f"{name}@{PLACE}", name.title())
    await person.sign_up(invitation)
    await person.confirm(await mailroom.code(person.email))
    await person.sign_in()
    return person


async def seconds_until(person: Person, path: str, status: int) -> float:
    """From now until the person is answered so, with the token that they hold."""
    began = time.monotonic()
    while True:
        answer: Answer = await person.call("GET", path, expect=(200, 401, 403))
        took = time.monotonic() - began
        if answer.status == status:
            return took
        assert took < PATIENCE, f"{path} still answers {answer.status} after {took:.0f} s"


async def joined(owner: Person, mailroom: Mailroom, org: str, name: str) -> Person:
    await owner.call("POST", f"{org}/invitations", json={"email": f"{name}@{PLACE}", "role": "admin"})
    invitation = await mailroom.invitation(f"{name}@{PLACE}")
    person = await registered(owner.api, mailroom, name, invitation)
    await person.call("POST", "/v1/invitations/accept", json={"token": invitation})
    await enter(person, org)
    for path in (AUDIT, PROJECTS):
        await seconds_until(person, path, 200)
    return person


async def enter(person: Person, org: str) -> None:
    """Identity answers 409 until it knows of the membership, and the client repeats that."""
    await person.call("PUT", "/v1/me/active-organization", json={"org_id": org.rpartition("/")[2]})
    await person.refresh()


async def test_what_a_token_is_good_for_changes_within_one_delivery(system: LocalSystem) -> None:
    async with aiohttp.ClientSession() as session:
        api, mailroom = Api(system.base_url, session), Mailroom(system.mail)
        owner = await registered(api, mailroom, "ona")
        made: Any = await owner.call("POST", "/v1/organizations", json={"name": "Access", "slug": "access"})
        org = f"/v1/organizations/{made['id']}"
        await owner.call("PUT", f"{org}/plan", json={"plan": "starter"})
        await enter(owner, org)
        demoted, removed = [], []
        for name in ("bo", "cy", "di"):
            person = await joined(owner, mailroom, org, name)
            member = f"{org}/members/{person.user_id}"
            await owner.call("PATCH", member, json={"role": "viewer"}, content_type="application/merge-patch+json")
            demoted.append(await seconds_until(person, AUDIT, 403))
            await owner.call("DELETE", member, expect=204)
            removed.append(await seconds_until(person, PROJECTS, 401))
    print(f"refused after a demotion: {demoted} s, after a removal: {removed} s")
    assert min(demoted) < DEADLINE, demoted
    assert min(removed) < DEADLINE, removed
