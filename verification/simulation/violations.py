"""The error of the simulation for a broken promise."""

from typing import Literal

Kind = Literal[
    "lost",
    "duplicated",
    "without a command",
    "projection",
    "limit",
    "audit",
    "chain",
    "outbox",
    "dead letters",
    "bug",
    "stuck",
]


class Violation(AssertionError):
    """A broken promise: its `kind`, and in `detail` what was observed."""

    def __init__(self, kind: Kind, detail: str) -> None:
        super().__init__(f"{kind}: {detail}")
        self.kind, self.detail = kind, detail
