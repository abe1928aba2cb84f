"""Every planted bug, with what must find it."""

from collections.abc import Callable
from dataclasses import dataclass

from verification.simulation import mutants
from verification.simulation import mutants_of_services as of_services
from verification.simulation.mutants import Patch
from verification.simulation.violations import Kind

DOUBLE: frozenset[Kind] = frozenset({"duplicated", "projection"})
LOSS: frozenset[Kind] = frozenset({"lost", "audit", "stuck"})
MISLAID: frozenset[Kind] = frozenset({"dead letters"})


@dataclass(frozen=True)
class Planted:
    """A bug, and the promises of which it breaks one: to be found for another reason proves nothing. `chapter` is
    where in the day it shows; None is anywhere."""

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
    Planted(mutants.ack_before_the_handler, LOSS | MISLAID),
    Planted(mutants.retryable_is_rejected, MISLAID),
    Planted(mutants.errors_swallowed, LOSS | {"projection"}),
    Planted(mutants.poison_forgotten, MISLAID),
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
