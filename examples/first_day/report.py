"""The report of the day, for people and for programs."""

from typing import Any

from rich.console import Console
from rich.table import Table

from examples.first_day.check import Outcome
from examples.first_day.day import Day

CONSUMERS = ("audit", "in-app", "e-mail", "analytics")
SHOWN = 5


def as_json(day: Day, outcome: Outcome) -> dict[str, Any]:
    return {
        "ok": outcome.good,
        "events": outcome.events,
        "events_total": sum(each["found"] for each in outcome.events.values()),
        "effects": {
            name: {"expected": effect.expected, "found": effect.actual, "duplicated": effect.duplicated}
            for name, effect in outcome.effects.items()
        },
        "wrong": {name: effect.wrong for name, effect in outcome.effects.items() if effect.wrong},
        "emails_repeated": outcome.repeated_emails,
        "dead_letters": outcome.dead_letters,
        "audit_chain": outcome.chain,
        "accept_to_last_effect_ms": outcome.latency_ms,
        "removed_member_out_after_ms": day.removal_ms,
        "client_retries": day.api.retries,
        "seconds": {**day.seconds, "total": round(sum(day.seconds.values()), 2)},
    }


def show(console: Console, day: Day, outcome: Outcome) -> None:
    console.print(_events(outcome), _effects(outcome))
    for name, effect in outcome.effects.items():
        for line in effect.wrong[:SHOWN]:
            console.print(f"[red]{name}[/] {line}")
    total = sum(each["found"] for each in outcome.events.values())
    chain = outcome.chain
    sealed = f"{chain.get('sealed')} records sealed, {chain.get('unsealed')} not yet"
    latency = outcome.latency_ms
    console.print(
        f"{total} events · accept to last effect p50 {latency.get('p50')} ms, p95 {latency.get('p95')} ms"
        f" · e-mails repeated {outcome.repeated_emails} · dead letters {outcome.dead_letters}"
        f" · removed member out after {day.removal_ms} ms"
    )
    console.print(
        f"audit chain of the organization: {'[green]valid' if chain.get('valid') else '[red]BROKEN'}[/], {sealed}"
    )
    phases = " · ".join(f"{name} {seconds:.1f}" for name, seconds in day.seconds.items())
    console.print(f"seconds: {phases}")


def inbox(day: Day) -> Table:
    """The inbox of one member, as far as it was read."""
    if day.inbox is None:
        raise ValueError("the inbox was not read")
    table = Table(title=f"The inbox of {day.inbox.name}: {day.inbox.unread} unread, the newest", title_justify="left")
    for column in ("when", "what"):
        table.add_column(column)
    for when, title in day.inbox.newest:
        table.add_row(when[11:19], title)
    return table


def _events(outcome: Outcome) -> Table:
    table = Table(title="Events, and their effects in each consumer (expected / found)", title_justify="left")
    table.add_column("event")
    for column in ("published", *CONSUMERS):
        table.add_column(column, justify="right")
    for event_type, count in outcome.events.items():
        consumers = outcome.by_type[event_type]
        table.add_row(
            event_type,
            _pair(count["expected"], count["found"]),
            *(_pair(*consumers[name]) if name in consumers else "" for name in CONSUMERS),
        )
    return table


def _effects(outcome: Outcome) -> Table:
    table = Table(title="Effects", title_justify="left")
    table.add_column("consumer")
    for column in ("expected", "found", "duplicated", ""):
        table.add_column(column, justify="right")
    for name, effect in outcome.effects.items():
        mark = "[green]✓[/]" if effect.good else "[red]✗[/]"
        table.add_row(name, str(effect.expected), str(effect.actual), str(effect.duplicated), mark)
    return table


def _pair(expected: int, found: int) -> str:
    return f"[green]{expected} / {found}[/]" if expected == found else f"[red]{expected} / {found}[/]"
