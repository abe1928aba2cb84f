import json

from services.notify.notifications.consumers import invitations
from tests.services.notify.events import TOKEN, invited
from tests.services.notify.support import Notify


async def test_the_invitee_gets_an_email_with_all_that_they_need(notify: Notify) -> None:
    event_id = await notify.deliver(invitations, invited())
    [mail] = notify.mailer.sent
    assert (mail.id, mail.to) == (f"{event_id}.inv_1", "new@acme.example")
    assert mail.subject == "Ada Lovelace invites you to Acme"
    for part in (mail.text, mail.html):
        for wanted in ("Ada Lovelace", "Acme", "manager", "28 November 2026, 09:30 UTC"):
            assert wanted in part
        assert f"https://tenfold.test/invitations/accept?token={TOKEN}" in part
    assert TOKEN in mail.text.splitlines()


async def test_nobody_is_notified_in_the_app(notify: Notify) -> None:
    await notify.deliver(invitations, invited())
    assert notify.notified == []
    delivery = notify.deliveries["new@acme.example"]
    assert (delivery["recipient_id"], delivery["status"]) == ("inv_1", "sent")


async def test_the_token_is_kept_nowhere(notify: Notify) -> None:
    await notify.deliver(invitations, invited())
    kept = json.dumps(list(notify.store.items.values()))
    assert "new@acme.example" in kept
    assert TOKEN not in kept


async def test_an_organization_cannot_pretend_to_be_the_token_or_a_header(notify: Notify) -> None:
    await notify.deliver(invitations, invited(org_name="Acme\r\nBcc: all@acme.example\u2028tok_false\n<script>"))
    [mail] = notify.mailer.sent
    assert mail.subject == "Ada Lovelace invites you to Acme Bcc: all@acme.example tok_false <script>"
    assert "tok_false" not in mail.text.splitlines()
    assert "<script>" not in mail.html


async def test_a_repeated_delivery_sends_once_and_another_invitation_again(notify: Notify) -> None:
    event_id = await notify.deliver(invitations, invited())
    await notify.deliver(invitations, invited(), event_id=event_id, receive_count=2)
    assert notify.mailer.addresses == ["new@acme.example"]
    await notify.deliver(invitations, invited())
    assert notify.mailer.addresses == ["new@acme.example"] * 2
