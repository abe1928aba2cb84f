"""The fuzzer finds planted faults."""

import pytest
from fastapi import FastAPI
from pydantic import BaseModel
from starlette.requests import Request

from verification.fuzz.generated import fuzz
from verification.fuzz.hostile import attack
from verification.fuzz.server import ServiceServer, listening

pytestmark = pytest.mark.slow


class Numbers(BaseModel):
    numerator: int
    denominator: int


def faulty_app() -> FastAPI:
    """An app that crashes on one number in two billion, breaks its own schema, and waits for ever for a body."""
    app = FastAPI()

    @app.get("/health/live")
    async def live() -> str:
        return "live"

    @app.post("/divisions")
    async def divide(numbers: Numbers) -> int:
        return numbers.numerator // numbers.denominator

    @app.get("/count", response_model=None)
    async def count() -> dict[str, str]:
        return {"count": "many"}

    @app.post("/texts", openapi_extra={"requestBody": {"content": {"application/json": {"schema": {}}}}})
    async def text(request: Request) -> int:
        return len((await request.body()).decode())

    return app


async def test_planted_faults_are_found() -> None:
    with listening(faulty_app()) as port:
        server = ServiceServer(port, "token", {})
        outcome = fuzz(server, 10, seed=1)
        _, wrong = await attack(server)
    assert "POST /divisions" in outcome.report
    assert "ZeroDivisionError" in outcome.report or "Server error" in outcome.report
    assert "POST /texts, not UTF-8: 500" in wrong
    assert [line for line in wrong if "a slow body" in line]
