"""The simulation against planted bugs, and two controls without which its results would prove nothing."""

import pytest

from verification.simulation.driver import simulation
from verification.simulation.hunt import find_bug
from verification.simulation.journeys import play_step, scenes
from verification.simulation.planted import CONTROLS, MUTANTS, Planted

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("planted", CONTROLS, ids=lambda planted: planted.name)
def test_the_controls_are_found(planted: Planted) -> None:
    assert find_bug(planted) is not None


@pytest.mark.parametrize("planted", CONTROLS, ids=lambda planted: planted.name)
def test_without_faults_the_controls_keep_every_promise(planted: Planted, monkeypatch: pytest.MonkeyPatch) -> None:
    """So the controls fail because of faults, not because of the way in which inbox and outbox are switched off."""
    day = scenes()
    planted.plant(monkeypatch)
    for scene in day:
        with simulation(0, scene.before, background=True) as running:
            play_step(running, scene.step)
            running.finish()


@pytest.mark.parametrize("planted", MUTANTS, ids=lambda planted: planted.name)
def test_a_planted_bug_is_found(planted: Planted) -> None:
    assert find_bug(planted) is not None
