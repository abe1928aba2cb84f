"""Commands, duplicates, reordering, delay, expiry, throttling, partial failures, lost answers, crashes, dead letters
and redrives in any order, and at the end every promise kept. Always the same examples; other ones by
`python -m verification.simulation --seeds N`."""

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
