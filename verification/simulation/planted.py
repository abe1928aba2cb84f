"""Every planted bug, with the promises that it breaks."""

from collections.abc import Callable
from dataclasses import dataclass

from verification.simulation import mutants
from verification.simulation import mutants_of_services as of_services
from verification.simulation.mutants import Patch
from verification.simulation.violations import Kind

DOUBLE: frozenset[Kind] = frozenset({"duplicated", "projection"})
LOSS: frozenset[Kind] = frozenset({"lost", "audit", "stuck"})
DEAD_LETTERS: frozenset[Kind] = frozenset({"dead letters"})


@dataclass(frozen=True)
class Planted:
    """A planted bug. It breaks one of `breaks`: finding it by another promise proves nothing.

    `chapter` is the part of the first day in which it shows; with None, random simulations find it.
    """

    plant: Callable[[Patch], None]
    breaks: frozenset[Kind]
    chapter: str | None = None

    @property
    def name(self) -> str:
        return self.plant.__name__


CONTROLS = (Planted(mutants.inbox_off, DOUBLE), Planted(mutants.outbox_off, frozenset({"lost"})))
MUTANTS = (
    Planted(mutants.keys_ignored, DOUBLE),
    Planted(mutants.claim_outside, DOUBLE),
    Planted(mutants.sweeper_off, LOSS),
    Planted(mutants.cleared_before_the_answer, LOSS),
    Planted(mutants.partial_failure_ignored, LOSS),
    Planted(mutants.published_before_the_commit, frozenset({"without a command"})),
    Planted(mutants.ack_before_the_handler, LOSS | DEAD_LETTERS),
    Planted(mutants.retryable_is_rejected, DEAD_LETTERS),
    Planted(mutants.errors_swallowed, LOSS | {"projection"}),
    Planted(mutants.poison_forgotten, DEAD_LETTERS),
    Planted(mutants.unknown_forgotten, LOSS | {"projection"}),
    Planted(mutants.redriven_as_new, DOUBLE | {"audit"}),
    Planted(mutants.repetition_fails, LOSS),
    Planted(of_services.any_version_projected, DOUBLE),
    Planted(of_services.any_version_in_tokens, DOUBLE),
    Planted(of_services.registered_again, DOUBLE, "arrive"),
    Planted(of_services.sealers_overwrite, frozenset({"chain"})),
    Planted(of_services.seats_unlimited, frozenset({"limit"})),
    Planted(of_services.seat_freed_apart, frozenset({"limit"}), "invite"),
    Planted(of_services.marked_before_sent, LOSS, "invite"),
    Planted(of_services.imported_under_fresh_ids, DOUBLE, "work"),
    Planted(of_services.one_unclaimed_consumer, DOUBLE),
)
