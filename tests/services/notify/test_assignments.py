import pytest

from chassis.errors import NotYet
from chassis.tenants import members
from contracts.common import Role
from contracts.tenancy import v1 as tenancy
from services.notify.notifications.consumers import assignments
from tests.services.notify.events import assigned
from tests.services.notify.support import Notify


async def test_the_assignee_is_notified_in_the_app(notify: Notify) -> None:
    event_id = await notify.deliver(assignments, assigned())
    [notification] = await notify.inbox("user_bo")
    assert notification == {
        "id": notification["id"],
        "kind": "assigned",
        "title": "New task: Ship the web shop",
        "body": "Ada assigned it to you, due on 1 December 2026.",
        "subject_id": "task_1",
        "event_id": event_id,
        "created_at": "2026-11-21T09:00:00Z",
    }
    assert await notify.unread("user_bo") == 1
    assert await notify.inbox("user_ada") == []


async def test_the_assignee_gets_an_email_that_names_the_event(notify: Notify) -> None:
    event_id = await notify.deliver(assignments, assigned())
    [mail] = notify.mailer.sent
    assert (mail.id, mail.to, mail.subject) == (
        f"{event_id}.user_bo",
        "bo@acme.example",
        "New task: Ship the web shop",
    )
    for part in (mail.text, mail.html):
        assert "Ship the web shop" in part
        assert "1 December 2026" in part
        assert "https://tenfold.test/tasks/task_1" in part


async def test_what_the_table_keeps_names_event_and_person(notify: Notify) -> None:
    event_id = await notify.deliver(assignments, assigned())
    [notification] = notify.notifications
    assert notification["event_id"] == event_id
    assert notification["event_type"] == "tasks.task.assigned.v1"
    assert (notification["user_id"], notification["kind"]) == ("user_bo", "assigned")
    assert notification["event_time"] == notification["created_at"] == "2026-11-21T09:00:00Z"
    delivery = notify.deliveries["bo@acme.example"]
    assert (delivery["event_id"], delivery["recipient_id"], delivery["status"]) == (event_id, "user_bo", "sent")
    assert delivery["sent_at"] == "2026-11-21T09:00:00Z"


async def test_people_who_assign_a_task_to_themselves_are_not_notified(notify: Notify) -> None:
    await notify.deliver(assignments, assigned("user_bo", by="user_bo"))
    assert notify.notified == []
    assert notify.mailer.tried == []


async def test_an_imported_task_makes_a_notification_and_no_email(notify: Notify) -> None:
    await notify.deliver(assignments, assigned(import_id="imp_1"))
    assert notify.notified == ["user_bo"]
    assert notify.mailer.tried == []
    assert notify.deliveries == {}


async def test_a_repeated_delivery_notifies_once(notify: Notify) -> None:
    event_id = await notify.deliver(assignments, assigned())
    await notify.deliver(assignments, assigned(), event_id=event_id, receive_count=2)
    assert notify.notified == ["user_bo"]
    assert notify.mailer.addresses == ["bo@acme.example"]
    assert await notify.unread("user_bo") == 1


async def test_the_same_fact_under_another_id_notifies_again(notify: Notify) -> None:
    """The control of the test above."""
    await notify.deliver(assignments, assigned())
    await notify.deliver(assignments, assigned())
    assert notify.notified == ["user_bo", "user_bo"]
    assert notify.mailer.addresses == ["bo@acme.example"] * 2
    assert await notify.unread("user_bo") == 2


async def test_an_assignee_who_is_not_known_yet_is_waited_for(notify: Notify) -> None:
    event = assigned("user_dee")
    with pytest.raises(NotYet):
        await notify.deliver(assignments, event, event_id="event1")
    assert notify.notified == []
    added = tenancy.MemberAdded(user_id="user_dee", email="dee@acme.example", name="Dee", role=Role.MEMBER)
    await notify.deliver(members.subscription, added)
    await notify.deliver(assignments, event, event_id="event1", receive_count=2)
    assert notify.notified == ["user_dee"]
    assert notify.mailer.addresses == ["dee@acme.example"]


async def test_former_members_get_nothing(notify: Notify) -> None:
    await notify.remove_member("user_bo")
    await notify.deliver(assignments, assigned())
    assert notify.notified == []
    assert notify.mailer.tried == []


async def test_a_member_of_another_organization_is_not_known_here(notify: Notify) -> None:
    with pytest.raises(NotYet):
        await notify.deliver(assignments, assigned(), org_id="org_other")


async def test_nobody_waits_for_the_name_of_who_assigned_it(notify: Notify) -> None:
    await notify.deliver(assignments, assigned(by="user_unknown"))
    [notification] = await notify.inbox("user_bo")
    assert notification["body"] == "Somebody assigned it to you, due on 1 December 2026."
