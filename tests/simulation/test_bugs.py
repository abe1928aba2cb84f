"""The simulation against planted bugs. Without the two controls nothing that it says would mean anything."""

import pytest

from tests.simulation.hunt import found
from tests.simulation.mutants import CONTROLS, MUTANTS, Planted


@pytest.mark.parametrize("planted", CONTROLS, ids=lambda planted: planted.name)
def test_without_inbox_it_duplicates_and_without_outbox_it_loses(planted: Planted) -> None:
    assert found(planted) is not None


@pytest.mark.parametrize("planted", MUTANTS, ids=lambda planted: planted.name)
def test_a_planted_bug_is_found(planted: Planted) -> None:
    assert found(planted) is not None
