"""An organization's first day with a crash before and after every single call that leaves a process."""

import pytest

from verification.simulation.journeys import DAY, EVERY_CALL, Scene, faults, scenes, with_fault
from verification.simulation.wire import FaultKind

LEAST_CALLS = 600
"""A day that suddenly makes fewer calls is not the whole day any more."""


def test_the_day_is_whole() -> None:
    assert sum(len(scene.calls) for scene in scenes()) > LEAST_CALLS
    places = {place for scene in scenes() for place in scene.calls}
    kinds = {
        "table.get",
        "table.query",
        "table.write",
        "table.discard",
        "bus.put",
        "queue.receive",
        "queue.delete",
        "mail.send",
        "store.head",
        "store.read",
        "store.put",
        "store.delete",
        "inspect",
        "provider.confirm",
    }
    assert {kind for kind in kinds if not any(place.endswith(kind) for place in places)} == set()


@pytest.mark.parametrize("chapter", DAY)
def test_a_crash_at_any_call_loses_and_doubles_nothing(chapter: str) -> None:
    broken = []
    for scene, kind, at in faults(EVERY_CALL, chapter):
        try:
            with_fault(scene, kind, at)
        except AssertionError as violation:
            broken.append(_told(scene, kind, at, violation))
    assert not broken, "\n".join(broken[:5])


def _told(scene: Scene, kind: FaultKind, at: int, violation: AssertionError) -> str:
    return f"{kind} call {at} ({scene.calls[at]}) of {scene.step}: {violation}"
