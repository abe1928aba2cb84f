import pytest

from chassis.errors import NotYet
from services.notify.notifications.consumers import imports
from tests.services.notify.events import imported
from tests.services.notify.support import Notify


async def test_the_requester_gets_the_counts(notify: Notify) -> None:
    event_id = await notify.deliver(imports, imported({}))
    [notification] = await notify.inbox("user_ada")
    assert (notification["kind"], notification["subject_id"]) == ("import_completed", "imp_1")
    assert notification["event_id"] == event_id
    assert (notification["title"], notification["body"]) == ("Your import is done", "312 tasks created, 5 rows failed.")
    [mail] = notify.mailer.sent
    assert (mail.id, mail.to) == (f"{event_id}.user_ada", "ada@acme.example")
    assert mail.subject == "Your import is done: 312 tasks created, 5 rows failed"
    assert "312 tasks created, 5 rows failed" in mail.text
    assert "312 tasks" in mail.html


async def test_each_assignee_gets_one_email_and_no_notification(notify: Notify) -> None:
    await notify.deliver(imports, imported({"user_bo": 12, "user_cy": 1}))
    subjects = {mail.to: mail.subject for mail in notify.mailer.sent}
    assert subjects["bo@acme.example"] == "You have 12 new tasks"
    assert subjects["cy@acme.example"] == "You have 1 new task"
    assert len(notify.mailer.sent) == 3
    assert notify.notified == ["user_ada"]


async def test_the_requester_gets_one_email_with_their_own_tasks_in_it(notify: Notify) -> None:
    await notify.deliver(imports, imported({"user_ada": 3}))
    [mail] = notify.mailer.sent
    assert "You have 3 tasks of it yourself." in mail.text


async def test_nobody_gets_an_email_about_no_tasks(notify: Notify) -> None:
    await notify.deliver(imports, imported({"user_bo": 0}))
    assert notify.mailer.addresses == ["ada@acme.example"]


async def test_former_members_get_nothing(notify: Notify) -> None:
    await notify.remove_member("user_ada")
    await notify.remove_member("user_bo")
    await notify.deliver(imports, imported({"user_bo": 2, "user_cy": 2}))
    assert notify.notified == []
    assert notify.mailer.addresses == ["cy@acme.example"]


async def test_an_assignee_who_is_not_known_yet_is_waited_for(notify: Notify) -> None:
    with pytest.raises(NotYet):
        await notify.deliver(imports, imported({"user_dee": 2}), event_id="event1")
    assert notify.mailer.tried == []
    await notify.add_member("user_dee")
    await notify.deliver(imports, imported({"user_dee": 2}), event_id="event1", receive_count=2)
    assert notify.mailer.addresses == ["ada@acme.example", "dee@acme.example"]


async def test_a_repeated_delivery_notifies_once_and_another_import_again(notify: Notify) -> None:
    event_id = await notify.deliver(imports, imported({"user_bo": 2}))
    await notify.deliver(imports, imported({"user_bo": 2}), event_id=event_id, receive_count=2)
    assert notify.notified == ["user_ada"]
    assert len(notify.mailer.sent) == 2
    await notify.deliver(imports, imported({"user_bo": 2}))
    assert notify.notified == ["user_ada", "user_ada"]
    assert len(notify.mailer.sent) == 4
