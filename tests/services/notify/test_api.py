from typing import Any

import httpx
import pytest

from contracts.common import Role
from services.notify.inbox import usecases
from services.notify.notifications.consumers import assignments
from tests.services.notify.events import assigned
from tests.services.notify.support import Notify

OPERATIONS = [
    ("GET", "/v1/notifications"),
    ("GET", "/v1/notifications/unread-count"),
    ("PUT", "/v1/notifications/ntf_1/read"),
    ("POST", "/v1/notifications/read-all"),
]


async def assign(notify: Notify, *titles: str, to: str = "user_bo") -> list[str]:
    """One notification each, a second apart. Returns their ids, oldest first."""
    for title in titles:
        await notify.deliver(assignments, assigned(to, title=title))
        notify.clock.advance(seconds=1)
    return [notification["id"] for notification in reversed(await notify.inbox(to))][-len(titles) :]


def titles(items: list[dict[str, Any]]) -> list[str]:
    return [item["title"].removeprefix("New task: ") for item in items]


async def put_read(notify: Notify, id: str, user_id: str = "user_bo", **client: Any) -> httpx.Response:  # noqa: A002
    async with notify.client(user_id, **client) as http:
        return await http.put(f"/v1/notifications/{id}/read")


async def read_all(notify: Notify, user_id: str = "user_bo") -> int:
    async with notify.client(user_id) as client:
        answer = await client.post("/v1/notifications/read-all")
    assert answer.status_code == 200
    return int(answer.json()["read"])


async def test_the_newest_come_first_page_by_page(notify: Notify) -> None:
    await assign(notify, "one", "two", "three")
    async with notify.client("user_bo") as client:
        first = (await client.get("/v1/notifications", params={"limit": 2})).json()
        second = (await client.get("/v1/notifications", params={"limit": 2, "cursor": first["next"]})).json()
    assert titles(first["items"]) == ["three", "two"]
    assert titles(second["items"]) == ["one"]
    assert "next" not in second


async def test_read_and_unread_ones_can_be_listed_apart(notify: Notify) -> None:
    oldest, *_ = await assign(notify, "one", "two", "three")
    await put_read(notify, oldest)
    assert titles(await notify.inbox("user_bo")) == ["three", "two", "one"]
    assert titles(await notify.inbox("user_bo", unread="true")) == ["three", "two"]
    assert titles(await notify.inbox("user_bo", unread="false")) == ["one"]


async def test_reading_one_twice_counts_once(notify: Notify) -> None:
    oldest, _ = await assign(notify, "one", "two")
    first = await put_read(notify, oldest)
    notify.clock.advance(minutes=5)
    second = await put_read(notify, oldest)
    assert first.status_code == second.status_code == 200
    assert first.json()["read_at"] == second.json()["read_at"] == "2026-11-21T09:00:02Z"
    assert await notify.unread("user_bo") == 1


async def test_reading_all_reads_each_once(notify: Notify) -> None:
    oldest, *_ = await assign(notify, "one", "two", "three")
    await put_read(notify, oldest)
    assert await read_all(notify) == 2
    assert await notify.unread("user_bo") == 0
    assert await notify.inbox("user_bo", unread="true") == []
    assert await read_all(notify) == 0


async def test_reading_all_goes_through_several_transactions(notify: Notify) -> None:
    await assign(notify, *(str(number) for number in range(200)))
    assert await notify.unread("user_bo") == 200
    assert await read_all(notify) == 200
    assert await notify.unread("user_bo") == 0


async def test_one_request_reads_a_bounded_number(notify: Notify, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(usecases, "MARKED_PER_REQUEST", 180)
    await assign(notify, *(str(number) for number in range(200)))
    assert await read_all(notify) == 180
    assert await notify.unread("user_bo") == 20
    assert await read_all(notify) == 20


async def test_two_who_read_the_same_at_once_count_it_once(notify: Notify) -> None:
    """A notification that was read between the look and the write is looked at again."""
    ids = await assign(notify, "one", "two")
    write, overtaking = notify.store.write, False

    async def overtaken(operations: Any) -> None:
        nonlocal overtaking
        if not overtaking:
            overtaking = True
            await put_read(notify, ids[0])
        await write(operations)

    notify.store.write = overtaken  # type: ignore[method-assign]
    assert await read_all(notify) == 1
    assert await notify.unread("user_bo") == 0


async def test_a_person_who_was_never_notified_has_nothing_unread(notify: Notify) -> None:
    assert await notify.unread("user_cy") == 0
    assert await notify.inbox("user_cy") == []


async def test_nobody_sees_or_reads_what_is_somebody_elses(notify: Notify) -> None:
    [notification_id] = await assign(notify, "one")
    assert await notify.inbox("user_cy") == []
    assert await notify.unread("user_cy") == 0
    assert (await put_read(notify, notification_id, "user_cy")).status_code == 404
    assert await read_all(notify, "user_cy") == 0
    assert await notify.unread("user_bo") == 1


async def test_the_same_person_in_another_organization_sees_nothing_of_this_one(notify: Notify) -> None:
    [notification_id] = await assign(notify, "one")
    async with notify.client("user_bo", org_id="org_other") as client:
        listed = await client.get("/v1/notifications")
        counted = await client.get("/v1/notifications/unread-count")
        marked = await client.put(f"/v1/notifications/{notification_id}/read")
        unknown = await client.put("/v1/notifications/ntf_unknown/read")
        everything = await client.post("/v1/notifications/read-all")
    assert listed.json()["items"] == []
    assert counted.json() == {"unread": 0}
    assert marked.status_code == unknown.status_code == 404
    assert marked.json()["detail"] == unknown.json()["detail"]
    assert everything.json() == {"read": 0}
    assert await notify.unread("user_bo") == 1


async def test_a_viewer_may_do_all_of_it(notify: Notify) -> None:
    [notification_id] = await assign(notify, "one")
    assert (await put_read(notify, notification_id, role=Role.VIEWER)).status_code == 200


@pytest.mark.parametrize(("method", "path"), OPERATIONS)
async def test_without_a_token_there_is_nothing(notify: Notify, method: str, path: str) -> None:
    async with notify.client(None) as client:
        answer = await client.request(method, path)
    assert answer.status_code == 401
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(("method", "path"), OPERATIONS)
async def test_a_removed_member_is_refused(notify: Notify, method: str, path: str) -> None:
    await notify.remove_member("user_bo")
    async with notify.client("user_bo") as client:
        answer = await client.request(method, path)
    assert answer.status_code == 401
    assert answer.json()["type"].endswith("/no-membership")


@pytest.mark.parametrize("params", [{"unread": "maybe"}, {"limit": 0}, {"limit": 1000}, {"cursor": "?"}])
async def test_what_cannot_be_listed_is_refused(notify: Notify, params: dict[str, Any]) -> None:
    async with notify.client("user_bo") as client:
        answer = await client.get("/v1/notifications", params=params)
    assert answer.status_code == 422


async def test_a_repeated_request_with_the_same_key_gets_the_first_answer(notify: Notify) -> None:
    await assign(notify, "one")
    async with notify.client("user_bo") as client:
        headers = {"Idempotency-Key": "key"}
        first = await client.post("/v1/notifications/read-all", headers=headers)
        second = await client.post("/v1/notifications/read-all", headers=headers)
    assert first.json() == second.json() == {"read": 1}
    assert await notify.unread("user_bo") == 0
