"""Report that compares what was granted with what was used."""

from collections.abc import Sequence
from dataclasses import dataclass

from rich.markup import escape
from rich.table import Table

from verification.privileges.day import RecordedDay
from verification.privileges.policy import Grant, Request, is_allowed
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
    """Every grant, and what does not match."""

    lines: list[Line]
    missing: list[tuple[str, Request, int]]
    """Requests that were used and not granted."""
    stale: list[Reason]
    """Reasons that explain no grant."""

    @property
    def needless(self) -> list[Line]:
        """Grants without use and without reason."""
        return [line for line in self.lines if not line.times and not line.reason]

    @property
    def good(self) -> bool:
        return not (self.needless or self.missing or self.stale)


def compare(day: RecordedDay, reasons: Sequence[Reason]) -> Report:
    """Compare the grants of a day with their uses."""
    lines, missing = [], []
    for service, granted in sorted(day.granted.items()):
        used = day.used[service]
        for grant in granted:
            times = sum(count for request, count in used.items() if grant.covers(request))
            why = next((reason.why for reason in reasons if reason.explains(grant)), "")
            lines.append(Line(service, grant, times, "" if times else why))
        missing += [(service, request, times) for request, times in used.items() if not is_allowed(granted, request)]
    stale = [reason for reason in reasons if not any(reason.explains(line.grant) for line in lines)]
    return Report(lines, missing, stale)


def table(report: Report) -> Table:
    rows = Table("service", "action", "resource", "used")
    for line in report.lines:
        note = str(line.times) if line.times else f"[yellow]no[/]: {escape(line.reason)}" if line.reason else "[red]no"
        rows.add_row(line.service, line.grant.action, escape(short(line.grant.resource)), note)
    return rows


def short(arn: str) -> str:
    """An ARN without account and region, which are always the same."""
    return arn.split(":", 5)[-1]


def list_problems(day: RecordedDay, report: Report) -> list[str]:
    """Every problem of the report, one line each."""
    problems = [f"used and not granted: {name} {call.action} {call.resource}" for name, call, _ in report.missing]
    needless = [(line.service, line.grant) for line in report.needless]
    problems += [f"granted and not used: {name} {grant.action} {grant.resource}" for name, grant in needless]
    problems += [f"a reason for {each.action} on {each.resource}, which is not granted" for each in report.stale]
    problems += [f"refused {times} times: {text}" for text, times in day.refused.items()]
    problems += [f"not readable: {text}" for text in day.unreadable]
    return problems + ([] if day.day_is_good else ["the day did not end as it must"])
