"""Arrivals and departures: the founder, the invited, one who declines and one who is removed."""

import time

from examples.first_day.client import Person, UnexpectedAnswerError
from examples.first_day.day import Cast, Day
from examples.first_day.inputs import Invitee


async def found_organization(day: Day, ada: Person) -> None:
    day.progress("The founder signs up, confirms and signs in")
    await ada.sign_up()
    await ada.confirm(await day.mailroom.code(ada.email))
    day.ledger.record_registration(ada.user_id, ada.email)
    wrong = {"email": ada.email, "password": "Not-my-password-1"}
    await day.api.call("POST", "/v1/auth/sign-in", json=wrong, expect=401)
    day.ledger.event("identity.sign_in.failed.v1")
    await ada.sign_in()
    day.ledger.event("identity.user.signed_in.v1")
    [personal] = await day.until(
        lambda: day.api.pages("/v1/organizations", ada.token), lambda organizations: organizations
    )
    day.ledger.record_organization(personal["id"], ada.user_id)
    day.progress("creates the organization, upgrades it and switches to it")
    body = {"name": day.slug.title(), "slug": day.slug}
    day.org_id = (await ada.call("POST", "/v1/organizations", json=body, expect=201))["id"]
    day.ledger.record_organization(day.org_id, ada.user_id)
    await day.api.call("POST", "/v1/organizations", token=ada.token, json=body, expect=409)
    await ada.call("PUT", f"/v1/organizations/{day.org_id}/plan", json={"plan": "starter"})
    day.ledger.event("tenancy.organization.plan_changed.v1")
    await ada.call("PUT", "/v1/me/active-organization", json={"org_id": day.org_id})
    day.ledger.event("identity.active_org.switched.v1")
    await ada.refresh()
    day.people[ada.email.lower()] = ada


async def invite(day: Day, cast: Cast) -> None:
    day.progress(f"invites {len(day.inputs.people)} people in one call")
    rows = [{"email": day.address(person.email), "role": person.role} for person in day.inputs.people]
    path = f"/v1/organizations/{day.org_id}/invitations"
    answer = await cast.founder.call("POST", f"{path}/bulk", json={"invitations": rows})
    results = answer["results"]
    for person, result in zip(day.inputs.people, results, strict=True):
        wanted = "invited" if person.good else "refused"
        if result["status"] != wanted or (wanted == "refused") != bool(result.get("reason")):
            raise UnexpectedAnswerError(f"row {person.row} ({person.email}): expected {wanted}, got {result}")
        if person.good:
            day.ledger.record_invitation()
    for refused in (result for result in results if result["status"] == "refused"):
        day.progress(f"row {refused['row']} is refused: {refused['reason']}")
    revoked = results[cast.revoked.row - 1]["invitation_id"]
    token = await day.mailroom.invitation(day.address(cast.revoked.email))
    await cast.founder.call("DELETE", f"{path}/{revoked}", expect=204)
    day.ledger.event("tenancy.invitation.revoked.v1")
    await cast.founder.call("POST", "/v1/invitations/accept", json={"token": token}, expect=(404, 409))


async def join(day: Day, cast: Cast) -> None:
    day.progress(f"{len(cast.joining)} people sign up and accept with the token from their e-mail; one declines")
    await day.crowd(join_one(day, invitee) for invitee in cast.joining)
    await decline(day, cast.declining)


async def enter(day: Day, invitee: Invitee) -> tuple[Person, str]:
    person = Person(day.api, day.address(invitee.email), invitee.name, invitee.role)
    invitation = await day.mailroom.invitation(person.email)
    await person.sign_up(invitation)
    await person.confirm(await day.mailroom.code(person.email))
    day.ledger.record_registration(person.user_id, person.email)
    await person.sign_in()
    day.ledger.event("identity.user.signed_in.v1")
    return person, invitation


async def join_one(day: Day, invitee: Invitee) -> None:
    person, invitation = await enter(day, invitee)
    answer = await person.call("POST", "/v1/invitations/accept", json={"token": invitation})
    if (answer["org_id"], answer["role"]) != (day.org_id, invitee.role):
        raise UnexpectedAnswerError(f"{person.email} got {answer.body}")
    day.ledger.event("tenancy.invitation.accepted.v1")
    day.ledger.record_membership(day.org_id, person.user_id, invitee.role)
    await day.until(lambda: person.call("GET", "/v1/me"), lambda me: me["organizations"])
    await person.refresh()
    day.people[person.email.lower()] = person


async def decline(day: Day, invitee: Invitee) -> None:
    person, invitation = await enter(day, invitee)
    await person.call("POST", "/v1/invitations/decline", json={"token": invitation}, expect=204)
    day.ledger.event("tenancy.invitation.declined.v1")


async def remove(day: Day, cast: Cast) -> None:
    admin = next((p for p in day.people.values() if p.role == "admin"), cast.founder)
    leaving = day.people[day.address(cast.leaving.email).lower()]
    day.progress(f"{leaving.name} is removed, and their token stops working")
    await leaving.call("GET", "/v1/projects")
    await wait_for_notifications(day, leaving)
    started = time.monotonic()
    await admin.call("DELETE", f"/v1/organizations/{day.org_id}/members/{leaving.user_id}", expect=204)
    day.ledger.record_removal(day.org_id, leaving.user_id)
    both = (200, 401)
    await day.until(
        lambda: day.api.call("GET", "/v1/projects", token=leaving.token, expect=both),
        lambda answer: answer.status == 401,
    )
    day.ledger.event("tasks.access.denied.v1")
    day.removal_ms = round((time.monotonic() - started) * 1000, 1)


async def wait_for_notifications(day: Day, person: Person) -> None:
    """Waits until a person has all notifications and e-mails, because former members get none."""
    ledger = day.ledger
    await day.until(
        lambda: person.call("GET", "/v1/notifications/unread-count"),
        lambda answer: answer["unread"] == ledger.notifications_by_user[person.user_id],
    )
    await day.until(
        lambda: day.mailroom.count_emails(person.email), lambda count: count >= ledger.emails_by_user[person.user_id]
    )
