"""Commands that show, redrive and drop dead letters. Nothing is taken out of a queue before it was shown."""

import json
import sys
from datetime import UTC, datetime
from typing import Annotated

import typer
from rich.markup import escape

from deploy.commands.options import OperatorOptions, Subscription, out, sharing
from deploy.dead_letters import tables
from deploy.dead_letters.edit import read_patch
from deploy.dead_letters.letter import DeadLetter, DeadLetterFilter
from deploy.dead_letters.queue import DeadLetterQueue, dead_letter_queue, peek_into_all
from deploy.dead_letters.redrive import Pace, bodies_to_send, refuse_schedules
from deploy.dead_letters.redrive import drop as drop_dead_letters
from deploy.dead_letters.redrive import redrive as redrive_dead_letters
from deploy.errors import RefusedError
from deploy.stage.command import OperatorConsole

MAX_RATE = 100.0
PANEL = "Operate"

app = typer.Typer()
Org = Annotated[str | None, typer.Option(help="Only this organization's.")]
Type = Annotated[str | None, typer.Option("--type", help="Only events of this type.")]
Cause = Annotated[str | None, typer.Option(help="Only with this in the text of their error.")]


@app.command(rich_help_panel=PANEL)
@sharing(OperatorOptions)
def dlq(options: OperatorOptions) -> None:
    """Count the dead letters of every subscription, with their causes."""
    by_subscription = peek_into_all(options.operated_stage())
    if any(by_subscription.values()):
        out.print(tables.summary(by_subscription, datetime.now(UTC)))
    else:
        out.print(f"no dead letters in {len(by_subscription)} subscriptions")


@app.command("dlq-show", rich_help_panel=PANEL)
@sharing(OperatorOptions)
def dlq_show(
    options: OperatorOptions,
    subscription: Subscription,
    org: Org = None,
    type_: Type = None,
    cause: Cause = None,
    as_json: Annotated[bool, typer.Option("--json", help="As one JSON array.")] = False,
) -> None:
    """Show each dead letter: its message, its error, its trace."""
    queue = dead_letter_queue(options.operated_stage(), subscription)
    selected = _select(queue, DeadLetterFilter(org, type_, cause))
    if as_json:
        out.out(json.dumps([each.as_json() for each in selected], indent=2, ensure_ascii=False), highlight=False)
        return
    out.print(tables.details(selected))
    for each in selected:
        body = each.visible_body
        out.print(f"[bold]{escape(each.event_id or each.message_id)}[/]")
        out.out(body if isinstance(body, str) else json.dumps(body, indent=2, ensure_ascii=False), highlight=False)


@app.command(rich_help_panel=PANEL)
@sharing(OperatorOptions)
def redrive(
    options: OperatorOptions,
    subscription: Subscription,
    org: Org = None,
    type_: Type = None,
    cause: Cause = None,
    edit: Annotated[str | None, typer.Option(help="A JSON merge patch for `data`: the text, or a file.")] = None,
    rate: Annotated[float, typer.Option(min=0.1, max=MAX_RATE, help="Dead letters per second.")] = Pace.rate,
) -> None:
    """Send dead letters back to their consumer, after showing which."""
    stage, console = options.operated_stage(), options.console()
    patch = read_patch(edit) if edit else None
    queue = dead_letter_queue(stage, subscription)
    refuse_schedules(queue)
    selected = _select(queue, DeadLetterFilter(org, type_, cause))
    bodies_to_send(selected, patch)
    edits = " with their data edited" if patch is not None else ""
    if not _confirm(console, selected, f"Send {len(selected)} dead letters{edits} back to {subscription}?"):
        return
    with out.status("sending"):
        count = redrive_dead_letters(queue, {each.message_id for each in selected}, patch, Pace(rate))
    out.print(f"{count} dead letters sent back to {subscription}")


@app.command("dlq-drop", rich_help_panel=PANEL)
@sharing(OperatorOptions)
def dlq_drop(
    options: OperatorOptions,
    subscription: Subscription,
    reason: Annotated[str, typer.Option(help="Why; audit keeps it.")] = "",
    org: Org = None,
    type_: Type = None,
    cause: Cause = None,
) -> None:
    """Give dead letters up, after showing which. Each organization's audit trail keeps the reason."""
    if not reason.strip():
        raise RefusedError("give the reason: REASON='...'; audit keeps it")
    stage, console = options.operated_stage(), options.console()
    queue = dead_letter_queue(stage, subscription)
    selected = _select(queue, DeadLetterFilter(org, type_, cause))
    if not _confirm(console, selected, f"Give up {len(selected)} dead letters of {subscription} for good?"):
        return
    count = drop_dead_letters(queue, {each.message_id for each in selected}, reason.strip())
    out.print(f"{count} dead letters of {subscription} dropped")


def _select(queue: DeadLetterQueue, wanted: DeadLetterFilter) -> list[DeadLetter]:
    """The dead letters that match, in the order of their events. Raises RefusedError if there are none."""
    everything = queue.peek()
    selected = sorted(filter(wanted, everything), key=lambda each: each.order)
    if not selected:
        raise RefusedError(f"no such dead letters; there are {len(everything)} in all")
    return selected


def _confirm(console: OperatorConsole, selected: list[DeadLetter], question: str) -> bool:
    """Show what would go, and ask. False if nobody is there to answer: then it was a dry run. Raises RefusedError for
    a no."""
    out.print(tables.groups(selected))
    if not console.yes and not sys.stdin.isatty():
        out.print(f"a dry run: {len(selected)} dead letters, nothing was changed; say YES=1 to do it")
        return False
    console.confirm(question)
    return True
