"""E-mails leave at least once and are never lost, whatever dies or refuses in between."""

import pytest

from chassis.errors import Retryable, Unavailable
from services.notify.errors import AddressRefused
from services.notify.notifications.consumers import imports, mentions
from tests.services.notify.events import commented, imported
from tests.services.notify.support import Killed, Notify

EVENT = "event1"
BOTH = ["bo@acme.example", "cy@acme.example"]


async def deliver(notify: Notify, receive_count: int = 1) -> None:
    await notify.deliver(mentions, commented("user_bo", "user_cy"), event_id=EVENT, receive_count=receive_count)


def statuses(notify: Notify) -> list[str]:
    return [delivery["status"] for _, delivery in sorted(notify.deliveries.items())]


async def test_a_process_that_dies_before_sending_leaves_the_emails_pending(notify: Notify) -> None:
    notify.mailer.trouble = Killed()
    with pytest.raises(Killed):
        await deliver(notify)
    assert statuses(notify) == ["pending", "pending"]
    assert notify.mailer.sent == []
    notify.mailer.trouble = None
    await deliver(notify, 2)
    assert notify.mailer.addresses == BOTH
    assert statuses(notify) == ["sent", "sent"]
    assert notify.notified == ["user_bo", "user_cy"]
    assert await notify.unread("user_bo") == 1


async def test_a_redelivery_sends_exactly_what_is_still_pending(notify: Notify) -> None:
    notify.mailer.troubles["cy@acme.example"] = Killed()
    with pytest.raises(Killed):
        await deliver(notify)
    assert statuses(notify) == ["sent", "pending"]
    notify.mailer.troubles.clear()
    await deliver(notify, 2)
    assert notify.mailer.addresses == BOTH
    assert notify.notified == ["user_bo", "user_cy"]


async def test_a_process_that_dies_after_sending_sends_the_same_id_again(notify: Notify) -> None:
    """The one gap, and how receivers recognize the repeat."""
    notify.mailer.after = Killed()
    with pytest.raises(Killed):
        await deliver(notify)
    notify.mailer.after = None
    await deliver(notify, 2)
    assert sorted(mail.id for mail in notify.mailer.sent) == sorted([f"{EVENT}.user_bo", f"{EVENT}.user_cy"] * 2)
    assert statuses(notify) == ["sent", "sent"]


@pytest.mark.parametrize("carried_out", [False, True])
@pytest.mark.parametrize("dies_at", [1, 2, 3])
async def test_dying_at_any_write_notifies_each_person_once(notify: Notify, dies_at: int, carried_out: bool) -> None:
    notify.store.dies_at, notify.store.carried_out = dies_at, carried_out
    with pytest.raises(Killed):
        await deliver(notify)
    await deliver(notify, 2)
    assert notify.notified == ["user_bo", "user_cy"]
    assert await notify.unread("user_bo") == await notify.unread("user_cy") == 1
    assert {mail.id for mail in notify.mailer.sent} == {f"{EVENT}.user_bo", f"{EVENT}.user_cy"}
    assert statuses(notify) == ["sent", "sent"]


async def test_a_mail_service_that_is_out_for_a_while_loses_nothing(notify: Notify) -> None:
    notify.mailer.trouble = Unavailable("out")
    with pytest.raises(Retryable):
        await deliver(notify)
    with pytest.raises(Retryable):
        await deliver(notify, 2)
    assert statuses(notify) == ["pending", "pending"]
    notify.mailer.trouble = None
    await deliver(notify, 3)
    assert notify.mailer.addresses == BOTH
    assert notify.notified == ["user_bo", "user_cy"]


async def test_one_address_in_trouble_does_not_keep_the_others_waiting(notify: Notify) -> None:
    notify.mailer.troubles["bo@acme.example"] = Retryable("throttled")
    with pytest.raises(Retryable):
        await deliver(notify)
    assert notify.mailer.addresses == ["cy@acme.example"]
    assert statuses(notify) == ["pending", "sent"]


async def test_while_the_mail_service_is_out_not_everybody_is_tried(notify: Notify) -> None:
    crowd = [f"user_{number:03}" for number in range(210)]
    await notify.add_members(*crowd)
    notify.mailer.trouble = Unavailable("out")
    with pytest.raises(Retryable):
        await notify.deliver(imports, imported(dict.fromkeys(crowd, 1)), event_id=EVENT)
    assert len(notify.mailer.tried) == 8
    notify.mailer.trouble = None
    await notify.deliver(imports, imported(dict.fromkeys(crowd, 1)), event_id=EVENT)
    assert len(notify.mailer.sent) == 211


async def test_an_address_that_is_refused_is_not_tried_again(notify: Notify) -> None:
    notify.mailer.troubles["bo@acme.example"] = AddressRefused("no such place")
    await deliver(notify)
    refused = notify.deliveries["bo@acme.example"]
    assert (refused["status"], refused["reason"]) == ("failed", "no such place")
    assert "sent_at" not in refused
    assert notify.mailer.addresses == ["cy@acme.example"]
    await deliver(notify, 2)
    assert sorted(notify.mailer.tried) == BOTH
    assert notify.notified == ["user_bo", "user_cy"]


async def test_who_leaves_before_their_email_is_sent_gets_none(notify: Notify) -> None:
    notify.mailer.trouble = Unavailable("out")
    with pytest.raises(Retryable):
        await deliver(notify)
    await notify.remove_member("user_bo")
    notify.mailer.trouble = None
    await deliver(notify, 2)
    assert notify.mailer.addresses == ["cy@acme.example"]
    assert statuses(notify) == ["failed", "sent"]
    assert notify.deliveries["bo@acme.example"]["reason"] == "no longer a member"


async def test_two_workers_at_once_notify_each_person_once(notify: Notify) -> None:
    """The second takes the message over while the first still sends."""

    send, overtaking = notify.mailer.send, False

    async def overtaken(mail: object) -> None:
        nonlocal overtaking
        if not overtaking:
            overtaking = True
            await deliver(notify, 2)
        await send(mail)  # type: ignore[arg-type]

    notify.mailer.send = overtaken  # type: ignore[method-assign]
    await deliver(notify)
    assert notify.notified == ["user_bo", "user_cy"]
    assert {mail.id for mail in notify.mailer.sent} == {f"{EVENT}.user_bo", f"{EVENT}.user_cy"}
    assert statuses(notify) == ["sent", "sent"]


async def test_a_replay_notifies_in_the_app_and_sends_nothing(notify: Notify) -> None:
    await notify.deliver(mentions, commented("user_bo", "user_cy"), event_id=EVENT, replayed=True)
    assert notify.mailer.tried == []
    assert statuses(notify) == ["suppressed", "suppressed"]
    assert notify.notified == ["user_bo", "user_cy"]
    await deliver(notify)
    assert notify.mailer.tried == []


async def test_a_replay_leaves_pending_emails_to_their_own_delivery(notify: Notify) -> None:
    notify.mailer.trouble = Killed()
    with pytest.raises(Killed):
        await deliver(notify)
    notify.mailer.trouble = None
    await notify.deliver(mentions, commented("user_bo", "user_cy"), event_id=EVENT, replayed=True)
    assert statuses(notify) == ["pending", "pending"]
    await deliver(notify, 2)
    assert notify.mailer.addresses == BOTH
