import pytest

from chassis.errors import NotYet
from services.notify.notifications.consumers import mentions
from tests.services.notify.events import commented
from tests.services.notify.support import Killed, Notify

CROWD = [f"user_{number:03}" for number in range(75)]


async def test_everybody_mentioned_is_notified_in_the_app_and_by_email(notify: Notify) -> None:
    event_id = await notify.deliver(mentions, commented("user_bo", "user_cy"))
    assert notify.notified == ["user_bo", "user_cy"]
    assert notify.mailer.addresses == ["bo@acme.example", "cy@acme.example"]
    assert {mail.id for mail in notify.mailer.sent} == {f"{event_id}.user_bo", f"{event_id}.user_cy"}
    [notification] = await notify.inbox("user_cy")
    assert notification["kind"] == "mentioned"
    assert notification["title"] == "Ada mentioned you: Ship the web shop"
    assert (notification["body"], notification["subject_id"]) == ("Please look\nat this", "task_1")


async def test_the_email_quotes_the_comment(notify: Notify) -> None:
    await notify.deliver(mentions, commented("user_bo", text="Look\r\n<b>here</b>\n"))
    [mail] = notify.mailer.sent
    assert "\n> Look\n> <b>here</b>\n" in mail.text
    assert "&lt;b&gt;here&lt;/b&gt;" in mail.html
    assert "<b>here" not in mail.html


async def test_the_author_is_not_notified_of_their_own_comment(notify: Notify) -> None:
    await notify.deliver(mentions, commented("user_ada", "user_bo"))
    assert notify.notified == ["user_bo"]
    assert notify.mailer.addresses == ["bo@acme.example"]


async def test_a_comment_that_mentions_nobody_notifies_nobody(notify: Notify) -> None:
    await notify.deliver(mentions, commented())
    assert notify.notified == []
    assert notify.mailer.tried == []


async def test_a_person_who_is_mentioned_twice_is_notified_once(notify: Notify) -> None:
    await notify.deliver(mentions, commented("user_bo", "user_bo"))
    assert notify.notified == ["user_bo"]
    assert notify.mailer.addresses == ["bo@acme.example"]


async def test_a_repeated_delivery_notifies_once_and_another_event_again(notify: Notify) -> None:
    event_id = await notify.deliver(mentions, commented("user_bo", "user_cy"))
    await notify.deliver(mentions, commented("user_bo", "user_cy"), event_id=event_id)
    assert notify.notified == ["user_bo", "user_cy"]
    assert notify.mailer.addresses == ["bo@acme.example", "cy@acme.example"]
    await notify.deliver(mentions, commented("user_bo"))
    assert notify.notified == ["user_bo", "user_bo", "user_cy"]


async def test_more_people_than_fit_into_one_transaction_are_each_notified_once(notify: Notify) -> None:
    await notify.add_members(*CROWD)
    event_id = await notify.deliver(mentions, commented(*CROWD))
    await notify.deliver(mentions, commented(*CROWD), event_id=event_id)
    assert notify.notified == CROWD
    assert len(notify.mailer.sent) == len({mail.id for mail in notify.mailer.sent}) == len(CROWD)


async def test_a_crash_between_the_groups_of_a_crowd_notifies_each_person_once(notify: Notify) -> None:
    await notify.add_members(*CROWD)
    notify.store.writes, notify.store.dies_at = 0, 2
    with pytest.raises(Killed):
        await notify.deliver(mentions, commented(*CROWD), event_id="event1")
    assert 0 < len(notify.notified) < len(CROWD)
    await notify.deliver(mentions, commented(*CROWD), event_id="event1", receive_count=2)
    assert notify.notified == CROWD
    assert len(notify.mailer.sent) == len({mail.id for mail in notify.mailer.sent}) == len(CROWD)


async def test_who_left_between_two_deliveries_does_not_move_the_others_between_groups(notify: Notify) -> None:
    await notify.add_members(*CROWD)
    notify.store.writes, notify.store.dies_at = 0, 2
    with pytest.raises(Killed):
        await notify.deliver(mentions, commented(*CROWD), event_id="event1")
    await notify.remove_member(CROWD[0])
    await notify.deliver(mentions, commented(*CROWD), event_id="event1", receive_count=2)
    assert notify.notified == CROWD
    assert len({mail.id for mail in notify.mailer.sent}) == len(CROWD) - 1


async def test_a_person_who_is_not_known_yet_is_waited_for(notify: Notify) -> None:
    with pytest.raises(NotYet):
        await notify.deliver(mentions, commented("user_bo", "user_dee"), event_id="event1")
    await notify.add_member("user_dee")
    await notify.deliver(mentions, commented("user_bo", "user_dee"), event_id="event1", receive_count=2)
    assert notify.notified == ["user_bo", "user_dee"]


async def test_former_members_get_nothing_and_the_others_are_notified(notify: Notify) -> None:
    await notify.remove_member("user_bo")
    await notify.deliver(mentions, commented("user_bo", "user_cy"))
    assert notify.notified == ["user_cy"]
    assert notify.mailer.addresses == ["cy@acme.example"]


async def test_a_long_comment_is_shortened(notify: Notify) -> None:
    await notify.deliver(mentions, commented("user_bo", text="long " * 2000))
    [notification] = await notify.inbox("user_bo")
    assert len(notification["body"]) <= 280
    assert notification["body"].endswith("long…")
    assert len(notify.mailer.sent[0].text) < 2500
