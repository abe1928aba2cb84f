"""An organization's first day, step by step, and the day again with a fault at every single call of it."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from verification.simulation.driver import Simulation, simulation
from verification.simulation.wire import Fault, FaultKind

Step = tuple[str, int, int]

DAY: dict[str, tuple[Step, ...]] = {
    "arrive": (("sign_up", 0, 0), ("sign_in_wrongly", 0, 0), ("found", 0, 0), ("change_plan", 0, 0), ("switch", 0, 0)),
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
    """One step of the day with all that follows from it, the moment before it, and the calls that it makes."""

    chapter: str
    step: Step
    before: bytes
    calls: tuple[str, ...]


@cache
def scenes() -> tuple[Scene, ...]:
    """The whole day, without a fault."""
    found: list[Scene] = []
    snapshot: bytes | None = None
    for chapter, steps in DAY.items():
        for step in steps:
            with simulation(0, snapshot, background=True) as running:
                before = running.world.snapshot()
                live(running, step)
                calls = tuple(running.world.wire.trace)
                assert calls, f"{step} of {chapter} does nothing"
                assert not running.client.ledger.open, f"{step} of {chapter} is not acknowledged"
                running.finish()
                snapshot = running.world.snapshot()
            found.append(Scene(chapter, step, before, calls))
    return tuple(found)


def live(running: Simulation, step: Step) -> None:
    """A step and its consequences, as they come when nothing disturbs them."""
    running.step(*step)
    state = running.world.state
    while any(queue.visible(state.clock.now()) for queue in state.queues.values()):
        running.step("deliver_all")
    running.step("seal")


def with_fault(scene: Scene, kind: FaultKind, at: int, seed: int = 0) -> None:
    """The scene with a fault at one of its calls, then its end. Raises Violation."""
    with simulation(seed, scene.before, background=True) as running:
        running.world.wire.armed.append(Fault(kind, at))
        live(running, scene.step)
        running.finish()


def faults(
    kinds: tuple[FaultKind, ...] = EVERY_CALL, chapter: str | None = None
) -> Iterator[tuple[Scene, FaultKind, int]]:
    for scene in scenes():
        if chapter in (None, scene.chapter):
            for at in range(len(scene.calls)):
                for kind in kinds:
                    yield scene, kind, at
