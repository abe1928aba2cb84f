"""The attacks find planted leaks: each missing check is reported by the attack that exploits it."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import jwt
import pytest
import structlog

import chassis.auth.tokens as tokens
import chassis.messaging.dispatch as dispatch
from chassis.auth.tokens import TokenClaims, TokenVerifier
from chassis.errors import Forbidden
from chassis.http import actor_resolvers, admission, guard, idempotency
from chassis.http.admission import ActorResolver
from chassis.storage.cursors import MAC_BYTES, _decode
from chassis.storage.keys import Key
from chassis.work.context import Actor
from chassis.work.idempotency_claims import IdempotencyClaim
from chassis.work.repository import Listing, Page, Repository
from chassis.work.scope import OrgScope
from contracts.common import OrgStatus, Role
from contracts.event import Envelope
from services.analytics.figures.repository import FiguresRepository
from services.files.access.model import Address
from services.files.access.repository import FileAddresses
from services.files.uploads.model import File
from services.tasks.tasks.repository import TaskRepository
from verification.isolation.event_attacks import EventAttacks
from verification.isolation.http_attacks import HttpAttacks
from verification.isolation.judge import Report
from verification.isolation.run import attack_service
from verification.isolation.storage_attacks import StorageAttacks

ITEM = "GET /v1/tasks/{task_id}"


def has_leak(report: Report, target: str, attack: str, what: str = "") -> bool:
    return any(target in leak.target and attack in leak.attack and what in leak.what for leak in report.leaks)


async def test_a_repository_that_keys_by_id_only(monkeypatch: pytest.MonkeyPatch) -> None:
    def key(self: TaskRepository, id: str) -> Key:  # noqa: A002
        return Key(f"TASK#{id}")

    monkeypatch.setattr(TaskRepository, "key", key)
    report = await attack_service("tasks", HttpAttacks, StorageAttacks)
    assert has_leak(report, ITEM, "another organization's path.task_id", "shows 'planted'")
    assert has_leak(report, "POST /v1/tasks/{task_id}/comments", "another organization's path.task_id", "answers 201")
    assert has_leak(report, "TaskRepository.get", "OrgScope", "shows 'planted'")
    assert has_leak(report, "TaskRepository.key", "OrgScope", "names the key")


async def test_a_repository_that_reveals_what_exists_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    async def find(self: TaskRepository, id: str) -> Any:  # noqa: A002
        here = await Repository.find(self, id)
        if here is None and any(id in key.pk for key in self.scope.table.items):  # type: ignore[attr-defined]
            raise Forbidden("tasks.task.read")
        return here

    monkeypatch.setattr(TaskRepository, "find", find)
    assert has_leak(
        await attack_service("tasks", HttpAttacks), ITEM, "another organization's path.task_id", "status differ"
    )


async def test_a_log_line_with_data_of_another_organization(monkeypatch: pytest.MonkeyPatch) -> None:
    async def find(self: TaskRepository, id: str) -> Any:  # noqa: A002
        for key, item in self.scope.table.items.items():  # type: ignore[attr-defined]
            if key.pk.endswith(f"#TASK#{id}") and key.sk == "A":
                structlog.get_logger().info("looking", title=item["title"])
        return await Repository.find(self, id)

    monkeypatch.setattr(TaskRepository, "find", find)
    assert has_leak(
        await attack_service("tasks", HttpAttacks), ITEM, "another organization's path.task_id", "shows 'planted'"
    )


async def test_more_work_for_ids_that_exist(monkeypatch: pytest.MonkeyPatch) -> None:
    async def find(self: TaskRepository, id: str) -> Any:  # noqa: A002
        if any(key.pk.endswith(f"#TASK#{id}") for key in self.scope.table.items):  # type: ignore[attr-defined]
            await self.scope.table.get(self.key("again"))
        return await Repository.find(self, id)

    monkeypatch.setattr(TaskRepository, "find", find)
    assert has_leak(
        await attack_service("tasks", HttpAttacks), ITEM, "another organization's path.task_id", "table calls differ"
    )


async def test_a_guard_that_skips_the_membership(monkeypatch: pytest.MonkeyPatch) -> None:
    def anybody(_claims: TokenClaims) -> ActorResolver:
        async def resolve(scope: OrgScope) -> tuple[Actor, None]:
            return replace(scope.actor, role=Role.OWNER), None

        return resolve

    monkeypatch.setattr(guard, "by_membership", anybody)
    report = await attack_service("tenancy", HttpAttacks)
    assert has_leak(report, "GET /v1/organizations/{org_id}", "path.org_id", "shows 'planted'")
    assert has_leak(report, "GET /v1/organizations/{org_id}/members", "removed member", "answers 200")


async def test_a_guard_that_trusts_the_token_of_a_removed_member(monkeypatch: pytest.MonkeyPatch) -> None:
    def by_token(claims: TokenClaims) -> ActorResolver:
        async def resolve(scope: OrgScope) -> tuple[Actor, None]:
            return replace(scope.actor, role=claims.role), None

        return resolve

    monkeypatch.setattr(guard, "by_projection", by_token)
    report = await attack_service("analytics", HttpAttacks)
    assert has_leak(report, "GET /v1/analytics/projects", "removed member", "answers 200")


@pytest.mark.parametrize(
    ("service", "route"),
    [("analytics", "GET /v1/analytics/projects"), ("tenancy", "GET /v1/organizations/{org_id}/members")],
)
async def test_a_guard_that_admits_suspended_organizations(
    monkeypatch: pytest.MonkeyPatch, service: str, route: str
) -> None:
    monkeypatch.setattr(OrgStatus, "operates", True)
    report = await attack_service(service, HttpAttacks)
    assert has_leak(report, route, "suspended organization's owner", "answers 200")


async def test_a_guard_that_ignores_denials(monkeypatch: pytest.MonkeyPatch) -> None:
    def by_role(actor: Actor, role: Role, _grants: object, _denies: object) -> Actor:
        return replace(actor, role=role)

    monkeypatch.setattr(actor_resolvers, "_with_role", by_role)
    report = await attack_service("analytics", HttpAttacks)
    assert has_leak(report, "GET /v1/analytics/projects", "denied operation", "answers 200")


async def test_a_staff_route_that_admits_everybody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(TokenClaims, "is_staff", True)
    report = await attack_service("tenancy", HttpAttacks)
    assert has_leak(report, "PUT /v1/organizations/{org_id}/status", "another organization's member", "answers 200")


async def test_tokens_without_a_signature_check(monkeypatch: pytest.MonkeyPatch) -> None:
    def decode_unchecked(_self: TokenVerifier, token: str, *_: object) -> TokenClaims:
        return TokenClaims.model_validate(jwt.decode(token, options={"verify_signature": False}))

    monkeypatch.setattr(TokenVerifier, "_claims", decode_unchecked)
    report = await attack_service("analytics", HttpAttacks)
    for attack in ("edited claims", "forged token", "expired token", "other client's token", "identity token"):
        assert has_leak(report, "GET /v1/analytics/projects", attack, "shows 'planted'"), attack


async def test_tokens_without_an_expiry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tokens, "LEEWAY", timedelta(days=9))
    report = await attack_service("analytics", HttpAttacks)
    assert has_leak(report, "GET /v1/analytics/projects", "expired token", "answers 200")
    assert {leak.attack for leak in report.leaks} == {"expired token"}


async def test_an_idempotency_key_that_is_shared_by_organizations(monkeypatch: pytest.MonkeyPatch) -> None:
    def shared_claim(request: Any, scope: Any) -> IdempotencyClaim | None:
        claim = idempotency.idempotency_claim_for(request, scope)
        return claim and replace(claim, key=Key(f"ORG#org_any#{request.headers['Idempotency-Key']}"))

    monkeypatch.setattr(admission, "idempotency_claim_for", shared_claim)
    report = await attack_service("tasks", HttpAttacks)
    assert has_leak(report, "PUT /v1/tasks/{task_id}/status", "Idempotency-Key for the owner's request", "shows")
    assert has_leak(report, "POST /v1/tasks", "Idempotency-Key for their own request", "differ")


async def test_a_cursor_that_is_not_bound_to_its_organization(monkeypatch: pytest.MonkeyPatch) -> None:
    page = Listing.page

    async def follow(self: Listing, scope: Any, request: Any, *args: Any, **more: Any) -> Page[Any]:
        if request.cursor is None:
            return await page(self, scope, request, *args, **more)
        sort = _decode(request.cursor)[MAC_BYTES:].decode()
        items = [item for item in scope.table.items.values() if item.get(f"L{self.index}SK") == sort]
        return Page(items=items)

    monkeypatch.setattr(Listing, "page", follow)
    report = await attack_service("tasks", HttpAttacks)
    assert has_leak(report, "GET /v1/projects", "another organization's cursor", "shows 'planted'")


async def test_an_object_without_its_organization(monkeypatch: pytest.MonkeyPatch) -> None:
    async def thumbnail(self: FileAddresses, file: File) -> Address:
        url = await self._store.presign_get(
            f"{file.id}/thumbnail", version=None, content_type="image/webp", disposition="inline", lifetime=timedelta(1)
        )
        return Address(url, self._scope.now())

    monkeypatch.setattr(FileAddresses, "thumbnail", thumbnail)
    report = await attack_service("files", StorageAttacks)
    assert has_leak(report, "FileAddresses.thumbnail", "OrgScope", "touches file_")


async def test_an_event_whose_organization_is_not_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    class Loose(Envelope):
        orgid: Any

    monkeypatch.setattr(dispatch, "Envelope", Loose)
    assert has_leak(
        await attack_service("analytics", EventAttacks),
        "figures tasks.task.created.v1",
        "forged: orgid",
        "is not rejected",
    )


async def test_an_event_whose_sender_is_not_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    own = dispatch.Dispatcher._domain_event

    def trusting(self: Any, subscription: Any, raw: dict[str, Any], delivery: Any) -> Any:
        source = f"tenfold.{raw['detail']['type'].split('.')[0]}"
        raw |= {"source": source, "detail-type": raw["detail"]["type"], "detail": raw["detail"] | {"source": source}}
        return own(self, subscription, raw, delivery)

    monkeypatch.setattr(dispatch.Dispatcher, "_domain_event", trusting)
    report = await attack_service("analytics", EventAttacks)
    assert has_leak(report, "figures tasks.task.created.v1", "forged: source tenfold.other", "is not rejected")
    assert has_leak(report, "figures tasks.task.created.v1", "forged: another detail type", "is not rejected")


async def test_a_consumer_without_a_scope(monkeypatch: pytest.MonkeyPatch) -> None:
    add = FiguresRepository._add

    def add_unscoped(self: Any, unit: Any, key: Key, *rest: Any) -> None:
        add(self, unit, Key(key.pk.split("#", 2)[2]), *rest)

    monkeypatch.setattr(FiguresRepository, "_add", add_unscoped)
    report = await attack_service("analytics")
    assert has_leak(
        report, "figures tasks.task.created.v1", "another organization's data.project_id", "touches PROJECT#"
    )
    assert has_leak(report, "FiguresRepository.add_to_person", "OrgScope", "touches PERSON#")
