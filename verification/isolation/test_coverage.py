"""A target that no attack covers fails the run, with a message that says what to add."""

from typing import Annotated, Any

import pytest
from fastapi import APIRouter, Depends, Path
from pydantic import BaseModel

from chassis.declare.service import Service
from chassis.declare.subscription import ExternalEvent, ExternalSubscription
from chassis.http.route import Route
from chassis.work.repository import PageRequest, Repository
from chassis.work.scope import OrgScope
from services.analytics.figures import repository
from services.analytics.figures.model import ProjectFigures
from services.analytics.permissions import guard
from verification.isolation.run import attack_service

SEED = "verification/isolation/seeds/analytics.py"
router = APIRouter(prefix="/v1/analytics", route_class=Route)
Scope = Annotated[OrgScope, Depends(guard("analytics.project.list"))]


class Budget(BaseModel):
    colour: str


@router.get("/budgets/{budget_id}")
async def read_budget(scope: Scope, budget_id: Annotated[str, Path(max_length=80)]) -> str:
    return budget_id


@router.post("/budgets")
async def make_budget(scope: Scope, body: Budget) -> str:
    return body.colour


@router.get("/budgets")
async def list_budgets(scope: Scope, page: Annotated[PageRequest, Depends()]) -> dict[str, Any]:
    return {"items": ["planted"], "next": None}


@router.get("/colours")
async def list_colours(scope: Scope) -> list[str]:
    return []


class Budgets(Repository[Any]):
    kind = "BUDGET"
    model = ProjectFigures

    async def of_colour(self, colour: complex) -> None:
        """A method with a parameter for which the seed has no value."""


async def test_a_new_route_is_uncovered_until_its_seed_has_values(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Service, "load_router", lambda _self: router)
    assert [gap.partition(";")[0] for gap in (await attack_service("analytics")).uncovered] == [
        f"read_budget: add a pair for budget_id of GET /v1/analytics/budgets/{{budget_id}} to {SEED}",
        f"make_budget: add a value for colour to {SEED}",
        "GET /v1/analytics/budgets: the victim's list has no second page",
        "GET /v1/analytics/colours: its answer has no text of its owner",
    ]


async def test_a_new_repository_method_is_uncovered_until_it_can_be_called(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Budgets, "__module__", repository.__name__)
    monkeypatch.setattr(repository, "Budgets", Budgets, raising=False)
    assert any(
        gap.startswith("Budgets.of_colour: add a value for colour")
        for gap in (await attack_service("analytics")).uncovered
    )


async def test_a_new_external_subscription_is_uncovered_until_its_seed_has_an_event(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def adapter(raw: dict[str, Any]) -> ExternalEvent:
        raise NotImplementedError

    feedback = ExternalSubscription("feedback", source="aws.ses", detail_type="Bounce", detail={}, adapter=adapter)
    monkeypatch.setattr(Service, "load_subscriptions", lambda _self: [feedback])
    assert (await attack_service("analytics")).uncovered == [
        "feedback: add its event to verification/isolation/seeds/analytics.py"
    ]


async def test_a_service_without_a_seed_is_uncovered() -> None:
    report = await attack_service("payments")
    assert report.uncovered == ["payments has no verification/isolation/seeds/payments.py"]
