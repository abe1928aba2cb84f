import pytest

from chassis.tenants.members import Member
from chassis.testing.service import ServiceUnderTest
from contracts.common import Role
from contracts.tasks import v1 as events
from services.tasks.people.model import People


def member(user_id: str, email: str) -> Member:
    return Member(id=user_id, email=email, name=user_id, role=Role.MEMBER, version=1)


PEOPLE = People(
    [
        member("user_hana", "Hana.Suzuki@acme.example"),
        member("user_kofi", "kofi@acme.example"),
        member("user_sama", "sam@acme.example"),
        member("user_samb", "sam@lab.example"),
        member("user_pat", "pat.o'connor@acme.example"),
        member("user_author", "author@acme.example"),
    ]
)


@pytest.mark.parametrize(
    ("text", "mentioned"),
    [
        ("@kofi look", ["user_kofi"]),
        ("Look, @KOFI!", ["user_kofi"]),
        ("(@kofi), @hana.suzuki.", ["user_kofi", "user_hana"]),
        ("@hana.suzuki@ACME.example: please", ["user_hana"]),
        ("Ask @kofi@acme.example.", ["user_kofi"]),
        ("@kofi's branch", ["user_kofi"]),
        ("@pat.o'connor's branch", ["user_pat"]),
        ("@kofi and again @Kofi@acme.example", ["user_kofi"]),
        ("mail kofi@acme.example or x@kofi", []),
        ("@sam is two people", []),
        ("@sam@lab.example is one", ["user_samb"]),
        ("@nobody @kofi@elsewhere.example @ @@kofi", []),
        ("@author that is me", []),
        ("nothing", []),
    ],
)
def test_mentions(text: str, mentioned: list[str]) -> None:
    assert PEOPLE.mentioned_in(text, author_id="user_author") == mentioned


async def test_a_comment_is_stored_and_published(under_test: ServiceUnderTest, task_id: str, project_id: str) -> None:
    text = "@bo, could you review? @ada @BO@acme.example"
    async with under_test.client("user_ada", Role.MEMBER) as client:
        answer = await client.post(f"/v1/tasks/{task_id}/comments", json={"text": text})
        listed = await client.get(f"/v1/tasks/{task_id}/comments")
    assert answer.status_code == 201
    assert listed.json()["items"] == [answer.json()]
    assert answer.json() == {
        "id": answer.json()["id"],
        "task_id": task_id,
        "author_id": "user_ada",
        "text": text,
        "mentioned_ids": ["user_bo"],
        "version": 1,
        "created_at": "2026-11-21T09:00:00Z",
    }
    [event] = await under_test.published_events(events.CommentAdded)
    assert (event.subject, event.aggregateversion) == (answer.json()["id"], 1)
    assert event.data == {
        "comment_id": answer.json()["id"],
        "task_id": task_id,
        "project_id": project_id,
        "task_title": "Ship it",
        "author_id": "user_ada",
        "text": text,
        "mentioned_ids": ["user_bo"],
    }


async def test_who_is_elsewhere_is_not_mentioned(under_test: ServiceUnderTest, task_id: str) -> None:
    await under_test.add_member("user_dee", org_id="org_other")
    async with under_test.client() as client:
        answer = await client.post(f"/v1/tasks/{task_id}/comments", json={"text": "@dee @dee@acme.example @cy"})
    assert answer.json()["mentioned_ids"] == ["user_cy"]


async def test_comments_are_listed_from_the_first(under_test: ServiceUnderTest, task_id: str) -> None:
    async with under_test.client() as client:
        for text in ("one", "two", "three"):
            await client.post(f"/v1/tasks/{task_id}/comments", json={"text": text})
            under_test.clock.advance(seconds=0.5)
        first = (await client.get(f"/v1/tasks/{task_id}/comments", params={"limit": 2})).json()
        rest = await client.get(f"/v1/tasks/{task_id}/comments", params={"limit": 2, "cursor": first["next"]})
    assert [each["text"] for each in first["items"] + rest.json()["items"]] == ["one", "two", "three"]


@pytest.mark.parametrize("text", ["", "  ", "x" * 5001])
async def test_a_comment_has_1_to_5000_characters(under_test: ServiceUnderTest, task_id: str, text: str) -> None:
    async with under_test.client() as client:
        answer = await client.post(f"/v1/tasks/{task_id}/comments", json={"text": text})
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == "body.text"
