"""Report of a verdict for a person: the worst first, and what to do."""

from collections.abc import Iterator

from contracts.check.change import BREAKING, Severity
from contracts.check.verdict import Finding, Reader, Verdict, split


def lines(verdict: Verdict, *, since: str) -> Iterator[str]:
    """The whole report. `since` names the base."""
    for finding in sorted(verdict.findings, key=lambda each: (-each.severity, each.event_type, each.change.field)):
        yield line(finding)
    for path in verdict.edited:
        yield f"breaking  {path}: a golden example was edited or removed; restore it, and add another beside it"
    counts = [sum(each.severity is severity for each in verdict.findings) for severity in reversed(Severity)]
    yield "{} breaking, {} risky, {} safe since {}.".format(*counts, since)
    yield from _remedies(verdict)
    for old in verdict.removable:
        yield f"{old} can go: nobody subscribes to it. Remove its model; keep its upcaster and its golden examples."
    for old, readers in verdict.waiting.items():
        yield f"{old} must stay for {_names(readers)}."
    if verdict.unread:
        yield "Fields that nobody reads (audit keeps them all):"
        for event_type, paths in verdict.unread.items():
            yield f"  {event_type}: {', '.join(paths)}"


def line(finding: Finding) -> str:
    change = finding.change
    head = f"{finding.severity!s:8}  {finding.event_type}: {change}"
    sides = f" (consumers: {change.consumers}, producers: {change.producers})"
    if finding.by_consumer:
        return f"{head} — breaks {_names(finding.breaks)}"
    if finding.breaks:
        return f"{head}{sides} — breaks {_names(finding.breaks)}"
    if not change.worst or not change.field:
        return head + (sides if change.worst else "")
    if finding.read_by:
        return f"{head}{sides} — {_names(finding.read_by)} can take it"
    return f"{head}{sides} — nobody reads it"


def _remedies(verdict: Verdict) -> Iterator[str]:
    for finding in verdict.findings:
        if finding.change.kind == "version":
            yield f"Write the upcaster beside the model: {_module(finding.event_type)}."
    broken = sorted(
        {
            each.event_type
            for each in verdict.findings
            if each.severity is BREAKING and not each.by_consumer and each.change.kind != "version"
        }
    )
    for event_type in broken:
        family, version = split(event_type)
        newer = f"{family}.v{version + 1}"
        yield (
            f"Take back the breaking change of {event_type}, or publish it as {newer} "
            f"({_module(newer)}), with an upcaster, beside the old."
        )
    if any(each.by_consumer for each in verdict.findings):
        yield "A consumer can read only what the contract promises and deployed producers send: correct its subset."


def _names(readers: tuple[Reader, ...]) -> str:
    return ", ".join(map(str, readers))


def _module(event_type: str) -> str:
    return f"contracts/{event_type.split('.', 1)[0]}/v{split(event_type)[1]}.py"
