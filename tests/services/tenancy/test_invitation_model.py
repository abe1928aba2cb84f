from datetime import UTC, datetime, timedelta

import pytest

from contracts.common import Role
from services.tenancy.errors import InvitationClosed, InvitationExpired
from services.tenancy.invitations.model import INVITATION_LASTS, Invitation, InvitationStatus, parse_address

NOW = datetime(2026, 11, 21, tzinfo=UTC)


@pytest.mark.parametrize(
    "text",
    ["bo@acme.example", " bo@acme.example ", "b.o+x@a-b.acme.example", "o'connor@acme.example", "BO@ACME.EXAMPLE"],
)
def test_an_address(text: str) -> None:
    assert parse_address(text) == text.strip()


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
def test_not_an_address(text: str) -> None:
    assert parse_address(text) is None


def test_an_invitation_ends_by_the_clock() -> None:
    invitation = an_invitation()
    last = invitation.valid_until - timedelta(microseconds=1)
    assert invitation.accept("user_bo", last).status is InvitationStatus.ACCEPTED
    assert invitation.status_at(last) is InvitationStatus.PENDING
    assert invitation.status_at(invitation.valid_until) is InvitationStatus.EXPIRED
    with pytest.raises(InvitationExpired):
        invitation.accept("user_bo", invitation.valid_until)


@pytest.mark.parametrize("status", [each for each in InvitationStatus if each is not InvitationStatus.PENDING])
def test_an_invitation_is_answered_once(status: InvitationStatus) -> None:
    ended = an_invitation().model_copy(update={"status": status})
    with pytest.raises(InvitationClosed if status is not InvitationStatus.EXPIRED else InvitationExpired):
        ended.decline(NOW)
    with pytest.raises(InvitationClosed):
        ended.revoke()


def an_invitation() -> Invitation:
    return Invitation(
        id="inv_1",
        email="bo@acme.example",
        role=Role.MEMBER,
        inviter_id="user_ada",
        created_at=NOW,
        valid_until=NOW + INVITATION_LASTS,
    )
