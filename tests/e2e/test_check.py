"""The comparison that judges a day: it must see what is missing, what is doubled, and what is wrong."""

from typing import Any

from examples.first_day.check import compare_counts, compare_figures, compare_states
from examples.first_day.holdings import Holdings, add_record
from examples.first_day.ledger import Figures, Ledger


def test_equal_is_good() -> None:
    assert compare_counts({"a": 2}, {"a": 2}).good
    assert compare_states({"x": "ready"}, {"x": "ready"}).good
    assert compare_figures({"p": Figures(created=1, open=1)}, {"p": Figures(created=1, open=1)}).good


def test_a_missing_effect_is_seen() -> None:
    effect = compare_counts({"a": 2}, {"a": 1})
    assert (effect.good, effect.duplicated) == (False, 0)


def test_a_doubled_effect_is_seen() -> None:
    effect = compare_counts({"a": 2}, {"a": 3})
    assert (effect.good, effect.duplicated) == (False, 1)


def test_one_too_many_does_not_hide_one_too_few() -> None:
    effect = compare_counts({"a": 1, "b": 1}, {"a": 2, "b": 0})
    assert (effect.expected, effect.actual) == (2, 2)
    assert not effect.good


def test_a_wrong_state_and_a_stranger_are_seen() -> None:
    effect = compare_states({"x": "ready"}, {"x": "rejected", "y": "ready"})
    assert not effect.good
    assert (effect.actual, effect.duplicated) == (0, 1)


def test_a_wrong_figure_is_seen() -> None:
    assert not compare_figures({"p": Figures(open=1)}, {"p": Figures(open=2)}).good


def test_what_a_service_outside_of_the_cast_makes_of_the_day_is_not_counted() -> None:
    holdings, ledger = Holdings(), Ledger(orgs={"org_acme"})
    for action in ("tasks.task.created.v1", "billing.entry.written.v1"):
        record: dict[str, Any] = {
            "id": action,
            "org_id": "org_acme",
            "action": action,
            "at": "2026-11-21T09:00:00Z",
            "data": {},
        }
        add_record(holdings, record, ledger)
    assert holdings.events == {"tasks.task.created.v1": 1}
