"""Every route declares who may call it; otherwise its service does not start."""

from typing import Annotated

import pytest
from fastapi import APIRouter, Depends

from chassis.declare.service import Service
from chassis.errors import DeclarationError
from chassis.http.guard import Anonymous, Guard, SignedIn
from chassis.http.route import Route
from chassis.testing.service import ServiceUnderTest
from chassis.work.scope import OrgScope
from contracts.common import Role
from tests.chassis.world import service

guard = Guard({"tasks.task.paint": Role.MEMBER, "tasks.task.varnish": Role.ADMIN})
open_router, guarded_router, confused_router = (APIRouter(route_class=Route) for _ in range(3))
nested_router, mounted_router = (APIRouter(route_class=Route) for _ in range(2))


@open_router.get("/open")
async def forgotten() -> str:
    return "everybody's"


@guarded_router.get("/{org_id}/varnish")
async def varnish(
    scope: Annotated[OrgScope, Depends(guard.in_path("tasks.task.paint", sometimes=["tasks.task.varnish"]))],
) -> None: ...


@guarded_router.get("/public")
async def public(scope: Anonymous) -> None: ...


@guarded_router.get("/mine")
async def mine(scope: SignedIn) -> None: ...


@confused_router.get("/both")
async def both(scope: SignedIn, other: Anonymous) -> None: ...


nested_router.include_router(guarded_router)
mounted_router.mount("/files", lambda _scope, _receive, _send: None)  # type: ignore[arg-type,return-value]


@pytest.mark.parametrize(
    ("router", "message"),
    [
        ("open_router", "GET /open has no guard"),
        ("confused_router", "GET /both has several guards"),
        ("mounted_router", "/files can't be guarded"),
        ("nested_router", "can't be guarded"),
    ],
)
def test_a_route_without_declared_access_prevents_the_start(
    monkeypatch: pytest.MonkeyPatch, router: str, message: str
) -> None:
    made = ServiceUnderTest(service)
    monkeypatch.setattr(Service, "load_router", lambda _self: globals()[router])
    with pytest.raises(DeclarationError, match=message):
        made.client()


async def test_the_document_has_the_access_of_each_route(monkeypatch: pytest.MonkeyPatch) -> None:
    made = ServiceUnderTest(service)
    monkeypatch.setattr(Service, "load_router", lambda _self: guarded_router)
    async with made.client() as http:
        paths = (await http.get("/openapi.json")).json()["paths"]
    said = {path: {k: v for k, v in each["get"].items() if k.startswith("x-")} for path, each in paths.items()}
    assert said == {
        "/{org_id}/varnish": {
            "x-operation": "tasks.task.paint",
            "x-required-role": "member",
            "x-conditional-roles": {"tasks.task.varnish": "admin"},
        },
        "/public": {"x-access": "public"},
        "/mine": {"x-access": "signed-in"},
    }


def test_a_condition_without_a_rule_is_refused() -> None:
    with pytest.raises(DeclarationError, match="polish has no entry"):
        guard.in_path("tasks.task.paint", sometimes=["tasks.task.polish"])
