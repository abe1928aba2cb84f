"""Whether, and how soon, the simulation finds a planted bug."""

from collections.abc import Callable, Iterator
from functools import partial

import pytest

from verification.simulation.driver import base, play
from verification.simulation.journeys import EVERY_CALL, faults, scenes, with_fault
from verification.simulation.planted import Planted
from verification.simulation.violations import Violation

SEEDS, STEPS = 300, 50


def found(planted: Planted) -> tuple[str, Violation] | None:
    """Where it showed, and how; None if it stayed hidden."""
    base()
    if planted.chapter is not None:
        scenes()  # what is compared with is the system without the bug
    with pytest.MonkeyPatch.context() as patch:
        planted.plant(patch)
        for where, attempt in _attempts(planted):
            try:
                attempt()
            except Violation as violation:
                if violation.kind in planted.breaks:
                    return where, violation
    return None


def _attempts(planted: Planted) -> Iterator[tuple[str, Callable[[], object]]]:
    if planted.chapter is None:
        for seed in range(SEEDS):
            yield f"seed {seed}", partial(play, seed, STEPS)
        return
    for scene, kind, at in faults(EVERY_CALL, planted.chapter):
        where = f"{kind} call {at} of {scene.step[0]}"
        yield where, partial(with_fault, scene, kind, at)
