"""The steps as a state machine of Hypothesis, which shrinks a failure to a short sequence."""

import hypothesis.strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from verification.simulation.commands import COMMANDS
from verification.simulation.driver import FAVOURED, FLOW, LATEST_FAULT, Simulation, base, simulation
from verification.simulation.environment import ENVIRONMENT
from verification.simulation.wire import FaultKind

NUMBERS = st.integers(0, 63)


class Machine(RuleBasedStateMachine):
    """Random steps that start with an organization ready to work."""

    @initialize(seed=st.integers(0, 2**16))
    def begin(self, seed: int) -> None:
        self._context = simulation(seed, base())
        self._running: Simulation = self._context.__enter__()

    @rule(name=st.sampled_from(COMMANDS + FAVOURED), a=NUMBERS, b=NUMBERS)
    def command(self, name: str, a: int, b: int) -> None:
        self._running.step(name, a, b)

    @rule(name=st.sampled_from(ENVIRONMENT), a=NUMBERS, b=NUMBERS)
    def environment(self, name: str, a: int, b: int) -> None:
        self._running.step(name, a, b)

    @rule(name=st.sampled_from(FLOW), a=NUMBERS, b=NUMBERS)
    def flow(self, name: str, a: int, b: int) -> None:
        self._running.step(name, a, b)

    @rule(kind=st.sampled_from(FaultKind), at=st.integers(0, LATEST_FAULT))
    def fault(self, kind: FaultKind, at: int) -> None:
        self._running.arm(kind, at)

    def teardown(self) -> None:
        if hasattr(self, "_running"):
            try:
                self._running.finish()
            finally:
                self._context.__exit__(None, None, None)
