"""Command line of the simulation: exits with 1 if a promise is broken or a planted bug stays hidden."""

import argparse
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from typing import TypeVar

import verification.simulation
from verification.simulation.driver import Figures, play
from verification.simulation.hunt import find_bug
from verification.simulation.journeys import DAY, EVERY_ANSWER, EVERY_CALL, all_faults, play_with_fault
from verification.simulation.planted import CONTROLS, MUTANTS

PROGRESS = 500
MAX_SHOWN = 20
Job = TypeVar("Job")
Outcome = tuple[str, Figures, str | None]
"""The simulation that was played, its figures, and the broken promise if there is one."""


def replay(seed: int, steps: int) -> int:
    """Play one simulation and print its steps."""
    try:
        figures = play(seed, steps, report_step=print)
    except AssertionError as violation:
        print(f"seed {seed}, {steps} steps: BROKEN {violation}")
        return 1
    print(f"seed {seed}, {steps} steps: every promise kept; {figures}")
    return 0


def play_seed(job: tuple[int, int]) -> Outcome:
    seed, steps = job
    name = f"python -m verification.simulation {seed} {steps}"
    try:
        return name, play(seed, steps), None
    except Exception as error:  # noqa: BLE001  (it is reported with its seed, and the others continue)
        return name, Figures(), repr(error)


def play_chapter(job: tuple[str, int]) -> Outcome:
    chapter, seed = job
    count, broken = 0, []
    for scene, kind, at in all_faults(EVERY_CALL + EVERY_ANSWER, chapter):
        count += 1
        try:
            play_with_fault(scene, kind, at, seed)
        except Exception as error:  # noqa: BLE001
            broken.append(f"{kind} call {at} ({scene.calls[at]}) of {scene.step}: {error!r}")
    return f"{chapter}, seed {seed}", Figures(faults=count), "\n  ".join(broken[:MAX_SHOWN]) or None


def play_many(play_one: Callable[[Job], Outcome], jobs: Sequence[Job], processes: int) -> int:
    started, total, broken = time.monotonic(), Figures(), 0
    with ProcessPoolExecutor(processes) as pool:
        outcomes = pool.map(play_one, jobs, chunksize=1 if len(jobs) < PROGRESS else 20)
        for number, (name, figures, violation) in enumerate(outcomes, start=1):
            total += figures
            if violation is not None:
                broken += 1
                print(f"BROKEN {name}\n  {violation}")
            if number % PROGRESS == 0:
                print(f"{number} played, {broken} broken", flush=True)
    print(f"{len(jobs)} played in {time.monotonic() - started:.0f} s, {broken} broken; {total}")
    return 1 if broken else 0


def hunt_bugs() -> int:
    """Print where each planted bug is found."""
    hidden = 0
    for planted in (*CONTROLS, *MUTANTS):
        hit = find_bug(planted)
        hidden += hit is None
        print(f"{planted.name:32}", "HIDDEN" if hit is None else f"{hit[1].kind:18} {hit[0]}")
    return 1 if hidden else 0


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m verification.simulation",
        description=verification.simulation.__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("seed", type=int, nargs="?", help="seed of the one simulation, or the first of many")
    parser.add_argument("steps", type=int, nargs="?", default=50)
    parser.add_argument("--seeds", type=int, metavar="N", help="play N simulations")
    parser.add_argument(
        "--journeys", type=int, metavar="N", help="play the first day with every fault, in N interleavings"
    )
    parser.add_argument("--bugs", action="store_true", help="show where each planted bug is found")
    parser.add_argument("--processes", type=int, default=2)
    given = parser.parse_args(arguments)
    if given.bugs:
        return hunt_bugs()
    if given.journeys:
        return play_many(
            play_chapter, [(chapter, seed) for seed in range(given.journeys) for chapter in DAY], given.processes
        )
    if given.seeds:
        first = given.seed or 0
        return play_many(
            play_seed, [(seed, given.steps) for seed in range(first, first + given.seeds)], given.processes
        )
    if given.seed is None:
        parser.error("give a seed, --seeds N, --journeys N or --bugs")
    return replay(given.seed, given.steps)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
