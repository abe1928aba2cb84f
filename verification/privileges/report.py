"""What was granted against what was used."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rich.markup import escape
from rich.table import Table

from verification.privileges.played import Played
from verification.privileges.policy import Grant, Request, allowed
from verification.privileges.unused import Reason


@dataclass(frozen=True)
class Line:
    """One grant of one service, and how often it was used."""

    service: str
    grant: Grant
    times: int
    reason: str = ""


@dataclass(frozen=True)
class Report:
    lines: list[Line]
    missing: list[tuple[str, Request, int]]
    """Used and not granted."""
    stale: list[Reason]
    """They explain nothing that anybody is granted."""

    @property
    def needless(self) -> list[Line]:
        """Granted, not used, and nobody knows why."""
        return [line for line in self.lines if not line.times and not line.reason]

    @property
    def good(self) -> bool:
        return not (self.needless or self.missing or self.stale)


def compared(played: Played, reasons: Sequence[Reason]) -> Report:
    lines, missing = [], []
    for service, granted in sorted(played.granted.items()):
        used = played.used[service]
        lines += list(_lines(service, granted, used, reasons))
        missing += [(service, request, times) for request, times in used.items() if not allowed(granted, request)]
    stale = [reason for reason in reasons if not any(reason.explains(line.grant) for line in lines)]
    return Report(lines, missing, stale)


def _lines(service: str, granted: list[Grant], used: Counter[Request], reasons: Sequence[Reason]) -> Iterator[Line]:
    for grant in granted:
        times = sum(count for request, count in used.items() if grant.covers(request))
        why = next((reason.why for reason in reasons if reason.explains(grant)), "")
        yield Line(service, grant, times, "" if times else why)


def table(report: Report) -> Table:
    shown = Table("service", "action", "resource", "used")
    for line in report.lines:
        note = str(line.times) if line.times else f"[yellow]no[/]: {escape(line.reason)}" if line.reason else "[red]no"
        shown.add_row(line.service, line.grant.action, escape(short(line.grant.resource)), note)
    return shown


def short(arn: str) -> str:
    """Without the account and the region, which are always the same."""
    return arn.split(":", 5)[-1]


def troubles(played: Played, report: Report) -> list[str]:
    """Everything that must not be, a line each."""
    found = [f"used and not granted: {name} {one.action} {one.resource}" for name, one, _ in report.missing]
    found += [f"granted and not used: {one.service} {one.grant.action} {one.grant.resource}" for one in report.needless]
    found += [f"a reason for {one.action} on {one.resource}, which nobody is granted" for one in report.stale]
    found += [f"refused {times} times: {text}" for text, times in played.refused.items()]
    found += [f"not understood: {text}" for text in played.unreadable]
    return found + ([] if played.day_is_good else ["the day did not end as it must"])
