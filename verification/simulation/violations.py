"""What the simulation says when a promise is broken."""

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
    """`kind` is which promise, `detail` what was found."""

    def __init__(self, kind: Kind, detail: str) -> None:
        super().__init__(f"{kind}: {detail}")
        self.kind, self.detail = kind, detail
