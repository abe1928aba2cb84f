"""An organization's first day with a crash before and after every call that leaves a process."""

import pytest

from verification.simulation.journeys import DAY, EVERY_CALL, all_faults, play_with_fault, scenes

LEAST_CALLS = 600
"""With fewer calls, part of the day must be missing."""


def test_the_day_is_whole() -> None:
    assert sum(len(scene.calls) for scene in scenes()) > LEAST_CALLS
    operations = {operation for scene in scenes() for operation in scene.calls}
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
    assert {kind for kind in kinds if not any(operation.endswith(kind) for operation in operations)} == set()


@pytest.mark.parametrize("chapter", DAY)
def test_a_crash_at_any_call_loses_and_doubles_nothing(chapter: str) -> None:
    broken = []
    for scene, kind, at in all_faults(EVERY_CALL, chapter):
        try:
            play_with_fault(scene, kind, at)
        except AssertionError as violation:
            broken.append(f"{kind} call {at} ({scene.calls[at]}) of {scene.step}: {violation}")
    assert not broken, "\n".join(broken[:5])
