"""What the fuzzer is for, it finds."""

import pytest
from fastapi import FastAPI
from pydantic import BaseModel
from starlette.requests import Request

from verification.fuzz.generated import fuzz
from verification.fuzz.hostile import attack
from verification.fuzz.server import Served, listening

pytestmark = pytest.mark.slow


class Numbers(BaseModel):
    numerator: int
    denominator: int


def planted() -> FastAPI:
    """Crashes on one number in each of two billion, says one thing and answers another, and waits for ever."""
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
    with listening(planted()) as port:
        at = Served(port, "token", {})
        outcome = fuzz(at, 10, seed=1)
        _, wrong = await attack(at)
    assert "POST /divisions" in outcome.told
    assert "ZeroDivisionError" in outcome.told or "Server error" in outcome.told
    assert "POST /texts, no UTF-8: 500" in wrong
    assert [line for line in wrong if "a slow body" in line]
