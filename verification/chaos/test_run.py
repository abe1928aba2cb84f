"""A whole small chaos run with its controls, and some rolling restarts."""

from pathlib import Path

import pytest

from verification.chaos.report import as_table
from verification.chaos.rolling import roll
from verification.chaos.run import SMALL, run

pytestmark = [pytest.mark.slow, pytest.mark.ministack, pytest.mark.timeout(900)]


async def test_a_small_storm(tmp_path: Path) -> None:
    outcome = await run(SMALL, 1, report_progress=print, keep=tmp_path)
    assert not outcome.problems, as_table(outcome)
    assert outcome.kills == SMALL.plan.kills
    assert outcome.poison >= SMALL.plan.poison


async def test_rolling_restarts() -> None:
    outcome = await roll(2, 1, print)
    assert not outcome.problems, outcome.as_json()
