from datetime import UTC, datetime, timedelta

import pytest

from contracts.common import Role
from services.tenancy import model
from services.tenancy.errors import InvitationClosed, InvitationExpired, LastOwner, RoleTooHigh, TooManyOwners
from services.tenancy.model import Invitation, InvitationStatus, Organization

NOW = datetime(2026, 11, 21, tzinfo=UTC)


@pytest.mark.parametrize("giver", Role)
@pytest.mark.parametrize("role", Role)
def test_nobody_gives_a_role_above_their_own(giver: Role, role: Role) -> None:
    if list(Role).index(role) <= list(Role).index(giver):
        model.check_gives(giver, role, "op")
    else:
        with pytest.raises(RoleTooHigh) as refused:
            model.check_gives(giver, role, "op")
        assert refused.value.operation == "op"


@pytest.mark.parametrize("actor", Role)
@pytest.mark.parametrize("target", Role)
def test_nobody_changes_somebody_above_themselves(actor: Role, target: Role) -> None:
    if list(Role).index(target) <= list(Role).index(actor):
        model.check_changes(actor, target, "op")
    else:
        with pytest.raises(RoleTooHigh):
            model.check_changes(actor, target, "op")


def test_who_has_no_role_gives_and_changes_nothing() -> None:
    with pytest.raises(RoleTooHigh):
        model.check_gives(None, Role.VIEWER, "op")
    with pytest.raises(RoleTooHigh):
        model.check_changes(None, Role.VIEWER, "op")


@pytest.mark.parametrize(
    "text",
    ["bo@acme.example", " bo@acme.example ", "b.o+x@a-b.acme.example", "o'connor@acme.example", "BO@ACME.EXAMPLE"],
)
def test_an_address(text: str) -> None:
    assert model.address(text) == text.strip()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "bo",
        "bo@",
        "@acme.example",
        "bo@acme",
        "bo.acme.example",
        "bo@@acme.example",
        "bo@acme@example.org",
        "b o@acme.example",
        ".bo@acme.example",
        "b..o@acme.example",
        "bo@-acme.example",
        "bo@acme..example",
        "bo@acme.example\nBcc: eve@evil.example",
        "bo@acme.example,eve@evil.example",
        "Bo <bo@acme.example>",
        "b" * 65 + "@acme.example",
        "bo@" + "a." * 126 + "example",
    ],
)
def test_no_address(text: str) -> None:
    assert model.address(text) is None


def test_the_last_owner_stays() -> None:
    organization = an_organization("user_ada")
    with pytest.raises(LastOwner):
        organization.without_owner("user_ada")
    assert organization.with_owner("user_bo").without_owner("user_ada").owner_id == "user_bo"


def test_owners_are_bounded() -> None:
    organization = an_organization("user_0")
    for number in range(1, model.MAX_OWNERS):
        organization = organization.with_owner(f"user_{number}")
    with pytest.raises(TooManyOwners):
        organization.with_owner("user_more")


def test_an_invitation_ends_by_the_clock() -> None:
    invitation = an_invitation()
    last = invitation.valid_until - timedelta(microseconds=1)
    assert invitation.answered(InvitationStatus.ACCEPTED, last).status is InvitationStatus.ACCEPTED
    assert invitation.status_at(last) is InvitationStatus.PENDING
    assert invitation.status_at(invitation.valid_until) is InvitationStatus.EXPIRED
    with pytest.raises(InvitationExpired):
        invitation.answered(InvitationStatus.ACCEPTED, invitation.valid_until)


@pytest.mark.parametrize("status", [each for each in InvitationStatus if each is not InvitationStatus.PENDING])
def test_an_invitation_is_answered_once(status: InvitationStatus) -> None:
    ended = an_invitation().model_copy(update={"status": status})
    with pytest.raises(InvitationClosed if status is not InvitationStatus.EXPIRED else InvitationExpired):
        ended.answered(InvitationStatus.DECLINED, NOW)
    with pytest.raises(InvitationClosed):
        ended.revoked()


def test_a_personal_organization_is_the_same_each_time() -> None:
    assert model.personal_org_id("user_ada") == model.personal_org_id("user_ada")
    assert model.personal_org_id("user_ada") != model.personal_org_id("user_bo")
    assert model.personal_slugs("user_ada", "Ada") == model.personal_slugs("user_ada", "Ada")


@pytest.mark.parametrize(
    ("name", "start"),
    [("Zoë de Vries", "zoe-de-vries-"), ("  ", "space-"), ("李雷", "space-"), ("A" * 100, "a" * 24 + "-")],
)
def test_a_personal_slug_is_a_slug(name: str, start: str) -> None:
    first, second = model.personal_slugs("user_x", name)
    assert first.startswith(start)
    for slug in (first, second):
        assert 3 <= len(slug) <= 40
        assert set(slug) <= set("abcdefghijklmnopqrstuvwxyz0123456789-")
    assert first != second


def an_organization(owner: str) -> Organization:
    return Organization(id="org_acme", slug="acme", name="Acme", owners=(owner,), created_at=NOW)


def an_invitation() -> Invitation:
    return Invitation(
        id="inv_1",
        email="bo@acme.example",
        role=Role.MEMBER,
        inviter_id="user_ada",
        created_at=NOW,
        valid_until=NOW + model.INVITATION_LASTS,
    )
