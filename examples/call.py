"""`make call CALL=/v1/projects [METHOD=POST] [BODY='{...}']`: calls the running system as an organization's owner.

The owner of an organization signs up at the first call. `{org}` in the path is replaced by the organization's id.
"""

import asyncio
import json
import os
import sys
from pathlib import Path
from typing import Any

import aiohttp

from deploy.embedded.emulator_mailbox import read_mailbox
from deploy.errors import DeployError, LocalError
from deploy.local.status import Status
from deploy.local.supervisor_client import ask
from deploy.services import ROOT
from examples.first_day.client import Answer, Api, Person, UnexpectedAnswerError
from examples.first_day.mail import Mailroom

STATE = ROOT / ".local/state"
EMAIL, NAME = "you@tenfold.example", "You"
ANY = tuple(range(200, 600))
ORG_SECONDS, PAUSE = 30.0, 0.2


async def sign_in_owner(api: Api, mailroom: Mailroom) -> tuple[Person, str]:
    """The owner, signed in to their personal organization, and its id."""
    person = Person(api, EMAIL, NAME)
    try:
        await person.sign_in()
    except UnexpectedAnswerError:
        await person.sign_up()
        await person.confirm(await mailroom.code(EMAIL))
        await person.sign_in()
    async with asyncio.timeout(ORG_SECONDS):
        # the event of the registration, which creates the organization, may still be on its way
        organizations = await api.pages("/v1/organizations", person.token)
        while not organizations:
            await asyncio.sleep(PAUSE)
            organizations = await api.pages("/v1/organizations", person.token)
    org_id = str(organizations[0]["id"])
    await person.call("PUT", "/v1/me/active-organization", json={"org_id": org_id})
    await person.refresh()
    return person, org_id


async def call(method: str, path: str, body: Any, *, base_url: str, mailbox_url: str) -> Answer:
    """The answer to one call of the owner. Raises UnexpectedAnswerError if the owner cannot sign in."""
    async with aiohttp.ClientSession() as session:
        person, org_id = await sign_in_owner(Api(base_url, session), Mailroom(lambda: read_mailbox(mailbox_url)))
        return await person.call(method, path.replace("{org}", org_id), json=body, expect=ANY)


def main(arguments: list[str]) -> int:
    method, path, text = arguments
    try:
        status = Status.read(Path(os.environ.get("TENFOLD_STATE", STATE)))
        if status is None or status.phase != "ready":
            raise LocalError("nothing is running; start it with `make up`")
        addresses = ask(status.base_url, "/status")
        if not path.startswith("/"):
            raise LocalError(f"CALL={path} is not a path; write it as /{path}")
        body = json.loads(text) if text else None
        answer = asyncio.run(call(method, path, body, base_url=status.base_url, mailbox_url=addresses["mailbox_url"]))
    except json.JSONDecodeError as error:
        return _refuse(f"BODY is not JSON: {error}")
    except TimeoutError:
        return _refuse(f"{EMAIL} had no organization after {ORG_SECONDS:.0f} s; see `make logs SERVICE=tenancy`")
    except (DeployError, UnexpectedAnswerError) as error:
        return _refuse(str(error))
    sys.stdout.write(f"{json.dumps(answer.body, indent=2, ensure_ascii=False)}\n")
    return 0 if answer.status < 400 else 1


def _refuse(reason: str) -> int:
    sys.stderr.write(f"{reason}\n")
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
