"""The simulation against planted bugs. Without the two controls nothing that it says would mean anything."""

import pytest

from verification.simulation.driver import simulation
from verification.simulation.hunt import found
from verification.simulation.journeys import live, scenes
from verification.simulation.planted import CONTROLS, MUTANTS, Planted

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("planted", CONTROLS, ids=lambda planted: planted.name)
def test_without_inbox_it_duplicates_and_without_outbox_it_loses(planted: Planted) -> None:
    assert found(planted) is not None


@pytest.mark.parametrize("planted", CONTROLS, ids=lambda planted: planted.name)
def test_while_nothing_goes_wrong_neither_is_missed(planted: Planted, monkeypatch: pytest.MonkeyPatch) -> None:
    """So it is the faults that the controls fail by, and not the way in which they were switched off."""
    day = scenes()
    planted.plant(monkeypatch)
    for scene in day:
        with simulation(0, scene.before, background=True) as running:
            live(running, scene.step)
            running.finish()


@pytest.mark.parametrize("planted", MUTANTS, ids=lambda planted: planted.name)
def test_a_planted_bug_is_found(planted: Planted) -> None:
    assert found(planted) is not None
