"""Any sequence of steps keeps every promise.

Steps are commands, duplicates, reordering, delay, expiry, throttling, partial failures, lost answers, crashes, dead
letters and redrives. The examples are always the same; `python -m verification.simulation --seeds N` plays others.
"""

from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from verification.simulation.driver import base
from verification.simulation.machine import Machine

EXAMPLES, STEPS = 200, 60


def test_any_mixture_of_steps_keeps_every_promise() -> None:
    base()
    run_state_machine_as_test(
        Machine,
        settings=settings(
            max_examples=EXAMPLES,
            stateful_step_count=STEPS,
            deadline=None,
            derandomize=True,
            database=None,
            print_blob=True,
            suppress_health_check=list(HealthCheck),
        ),
    )
