"""An organization's first day, step by step, and again with a fault at each of its calls."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from verification.simulation.driver import Simulation, simulation
from verification.simulation.wire import Fault, FaultKind

Step = tuple[str, int, int]

DAY: dict[str, tuple[Step, ...]] = {
    "arrive": (
        ("sign_up", 0, 0),
        ("sign_in_wrongly", 0, 0),
        ("create_organization", 0, 0),
        ("change_plan", 0, 0),
        ("switch", 0, 0),
    ),
    "invite": (("invite", 0, 0), ("join", 0, 0), ("invite", 0, 2), ("revoke", 0, 0), ("sign_up", 0, 0)),
    "answer": (("invite", 0, 1), ("decline", 0, 0), ("invite", 0, 4), ("join", 0, 0), ("sign_in", 1, 0)),
    "plan": (("create_project", 0, 0), ("create_task", 0, 2), ("assign", 0, 1), ("unassign", 0, 1)),
    "work": (("assign", 0, 0), ("move", 0, 1), ("move", 0, 3), ("comment", 0, 1), ("import_rows", 0, 1)),
    "files": (("request_upload", 0, 0), ("upload", 0, 1), ("request_upload", 0, 0), ("upload", 0, 3)),
    "leave": (("change_role", 0, 0), ("remove", 0, 0), ("invite", 0, 6), ("join", 0, 0), ("seal", 0, 1)),
}
EVERY_CALL = (FaultKind.CRASH_BEFORE, FaultKind.CRASH_AFTER)
EVERY_ANSWER = tuple(kind for kind in FaultKind if kind not in EVERY_CALL)


@dataclass(frozen=True)
class Scene:
    """One step of the day with everything that follows from it: a snapshot before it, and the calls that it makes."""

    chapter: str
    step: Step
    before: bytes
    calls: tuple[str, ...]


@cache
def scenes() -> tuple[Scene, ...]:
    """The whole day without faults."""
    day: list[Scene] = []
    snapshot: bytes | None = None
    for chapter, steps in DAY.items():
        for step in steps:
            with simulation(0, snapshot, background=True) as running:
                before = running.world.snapshot()
                play_step(running, step)
                calls = tuple(running.world.wire.trace)
                assert calls, f"{step} of {chapter} does nothing"
                assert not running.client.ledger.open, f"{step} of {chapter} is not acknowledged"
                running.finish()
                snapshot = running.world.snapshot()
            day.append(Scene(chapter, step, before, calls))
    return tuple(day)


def play_step(running: Simulation, step: Step) -> None:
    """Play a step and its consequences, in their undisturbed order."""
    running.step(*step)
    state = running.world.state
    while any(queue.visible(state.clock.now()) for queue in state.queues.values()):
        running.step("deliver_all")
    running.step("seal")


def play_with_fault(scene: Scene, kind: FaultKind, at: int, seed: int = 0) -> None:
    """Play a scene with a fault at one of its calls, and bring it to rest. Raises Violation."""
    with simulation(seed, scene.before, background=True) as running:
        running.world.wire.armed.append(Fault(kind, at))
        play_step(running, scene.step)
        running.finish()


def all_faults(
    kinds: tuple[FaultKind, ...] = EVERY_CALL, chapter: str | None = None
) -> Iterator[tuple[Scene, FaultKind, int]]:
    """Each scene, fault and call of a chapter, or of the whole day."""
    for scene in scenes():
        if chapter in (None, scene.chapter):
            for at in range(len(scene.calls)):
                for kind in kinds:
                    yield scene, kind, at
