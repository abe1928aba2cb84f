"""Hunt for a planted bug: whether, and how soon, the simulation finds it."""

from collections.abc import Callable, Iterator
from functools import partial

import pytest

from verification.simulation.driver import base, play
from verification.simulation.journeys import EVERY_CALL, all_faults, play_with_fault, scenes
from verification.simulation.planted import Planted
from verification.simulation.violations import Violation

SEEDS, STEPS = 300, 50


def find_bug(planted: Planted) -> tuple[str, Violation] | None:
    """The simulation that finds a bug, and the promise that it breaks; None if it stays hidden."""
    base()
    if planted.chapter is not None:
        scenes()  # cached before the bug is planted: they must come from the healthy system
    with pytest.MonkeyPatch.context() as patch:
        planted.plant(patch)
        for name, attempt in _attempts(planted):
            try:
                attempt()
            except Violation as violation:
                if violation.kind in planted.breaks:
                    return name, violation
    return None


def _attempts(planted: Planted) -> Iterator[tuple[str, Callable[[], object]]]:
    if planted.chapter is None:
        for seed in range(SEEDS):
            yield f"seed {seed}", partial(play, seed, STEPS)
        return
    for scene, kind, at in all_faults(EVERY_CALL, planted.chapter):
        name = f"{kind} call {at} of {scene.step[0]}"
        yield name, partial(play_with_fault, scene, kind, at)
