"""Commands that read the bus's archive: replay to one consumer, rebuild of one projection."""

import asyncio
from datetime import UTC, datetime
from typing import Annotated

import typer

from deploy.commands.options import OperatorOptions, Service, Subscription, out, sharing
from deploy.dead_letters.history import Span, archive_of
from deploy.dead_letters.queue import dead_letter_queue
from deploy.dead_letters.rebuild_command import rebuild_projection
from deploy.dead_letters.replay import EventFilter, ReplayProgress, consumer_of, refuse_while_dead_letters
from deploy.dead_letters.replay import replay as replay_history
from deploy.errors import RefusedError

PANEL = "Operate"

app = typer.Typer()


@app.command(rich_help_panel=PANEL)
@sharing(OperatorOptions)
def replay(
    options: OperatorOptions,
    service: Service,
    subscription: Subscription,
    org: Annotated[str | None, typer.Option(help="Only this organization's.")] = None,
    type_: Annotated[str | None, typer.Option("--type", help="Only events of this type.")] = None,
    since: Annotated[str | None, typer.Option("--from", help="A time in UTC; without: the first event.")] = None,
    until: Annotated[str | None, typer.Option("--to", help="A time in UTC; without: now.")] = None,
    rate: Annotated[float, typer.Option(min=0.1, max=100.0, help="Events per second.")] = 50.0,
    with_effects: Annotated[bool, typer.Option("--with-effects", help="Send e-mails again, too.")] = False,
) -> None:
    """Replay history to one consumer. E-mails and other effects outside are left out unless asked for."""
    stage, console = options.operated_stage(), options.console()
    consumer = consumer_of(service, subscription)
    archive = archive_of(stage)
    span = Span(_parse_time(since, "FROM", archive.since), _parse_time(until, "TO", datetime.now(UTC)))
    if not with_effects:
        refuse_while_dead_letters(consumer, len(dead_letter_queue(stage, consumer.name).peek()))
    effects = "with its effects outside" if with_effects else "without effects outside"
    console.confirm(
        f"Replay {span.start:%Y-%m-%d %H:%M} to {span.end:%Y-%m-%d %H:%M} UTC to {consumer.name}, {effects}?"
    )
    progress = ReplayProgress()
    with out.status("replaying") as status:
        for progress in replay_history(
            archive, consumer, span, EventFilter(org, type_), rate=rate, with_effects=with_effects
        ):
            status.update(f"{progress.read} events read, {progress.sent.total()} handed on")
    if not progress.sent:
        raise RefusedError(f"nothing to replay: {progress.read} events of that time, none of them for {consumer.name}")
    for event_type, count in sorted(progress.sent.items()):
        out.print(f"{count} × {event_type}", highlight=False)
    if progress.unreadable:
        out.print(f"{progress.unreadable} messages on the bus were not events of ours, and were left out")
    out.print(f"{progress.sent.total()} of {progress.read} events handed on to {consumer.name}, {effects}")


@app.command(rich_help_panel=PANEL)
@sharing(OperatorOptions)
def rebuild(
    options: OperatorOptions,
    service: Service,
    subscription: Subscription,
    swap: Annotated[bool, typer.Option("--swap", help="Make it live, after showing how it differs.")] = False,
    drop: Annotated[bool, typer.Option("--drop", help="Delete what is not live.")] = False,
) -> None:
    """Rebuild a projection from history beside the live one and show how they differ."""
    stage, console = options.operated_stage(), options.console()
    asyncio.run(rebuild_projection(stage, console, consumer_of(service, subscription), swap=swap, drop=drop))


def _parse_time(text: str | None, name: str, default: datetime) -> datetime:
    """A point in time, in UTC unless it names another zone. Raises RefusedError."""
    if text is None:
        return default
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        raise RefusedError(f"{name}={text!r} is not a time; write 2026-11-21 or 2026-11-21T09:30:00") from None
    return time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)
