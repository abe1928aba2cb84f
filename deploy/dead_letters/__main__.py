"""`python -m deploy.dead_letters`: dead letters put right, history replayed."""

import asyncio
import json
import sys
from datetime import UTC, datetime
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape

from deploy.dead_letters import tables
from deploy.dead_letters.edit import read_patch
from deploy.dead_letters.history import Span, archive
from deploy.dead_letters.letter import DeadLetter, Wanted
from deploy.dead_letters.queue import box, look_into_all
from deploy.dead_letters.rebuilding import rebuild_projection
from deploy.dead_letters.redrive import Pace, bodies, check_can_be_redriven
from deploy.dead_letters.redrive import drop as drop_letters
from deploy.dead_letters.redrive import redrive as redrive_letters
from deploy.dead_letters.replay import Chosen, Fed, consumer, refuse_with_letters
from deploy.dead_letters.replay import replay as replay_history
from deploy.dead_letters.target import Where, where
from deploy.stage.aws import REGION
from deploy.stage.command import OperatorConsole
from deploy.stage.errors import DeployError, RefusedError

MAX_RATE = 100.0

app = typer.Typer(add_completion=False, no_args_is_help=True, help="Dead letters and history.")
out, err = Console(), Console(stderr=True)

Stage = Annotated[str | None, typer.Option(envvar="STAGE", help="Without it: what `make up` runs on this machine.")]
Endpoint = Annotated[str | None, typer.Option(envvar="ENDPOINT", help="Of an embedded AWS.")]
Region = Annotated[str, typer.Option(envvar="AWS_REGION")]
Yes = Annotated[bool, typer.Option("--yes", envvar="YES", help="Do not ask.")]
Of = Annotated[str, typer.Option("--subscription", envvar="SUBSCRIPTION", help="Such as notify.assignments.")]
Org = Annotated[str | None, typer.Option(envvar="ORG", help="Only this organization's.")]
Type = Annotated[str | None, typer.Option("--type", envvar="TYPE", help="Only events of this type.")]
Cause = Annotated[str | None, typer.Option(envvar="CAUSE", help="Only with this in the text of their error.")]
Edit = Annotated[str | None, typer.Option(envvar="EDIT", help="A JSON merge patch for `data`: text, or a file.")]
Rate = Annotated[float, typer.Option(envvar="RATE", min=0.1, max=MAX_RATE, help="Letters a second.")]
Reason = Annotated[str, typer.Option(envvar="REASON", help="Why; audit keeps it.")]
Service = Annotated[str, typer.Option(envvar="SERVICE", help="Such as notify.")]
Since = Annotated[str | None, typer.Option("--from", envvar="FROM", help="A time in UTC; without: the first event.")]
Until = Annotated[str | None, typer.Option("--to", envvar="TO", help="A time in UTC; without: now.")]
Effects = Annotated[bool, typer.Option("--with-effects", envvar="WITH_EFFECTS", help="Send e-mails again, too.")]
Swap = Annotated[bool, typer.Option("--swap", envvar="SWAP", help="Make it live, after showing how it differs.")]
Drop = Annotated[bool, typer.Option("--drop", envvar="DROP", help="Delete what is not live.")]
Json = Annotated[bool, typer.Option("--json", help="As one JSON array.")]


@app.callback()
def common(
    context: typer.Context, stage: Stage = None, endpoint: Endpoint = None, region: Region = REGION, yes: Yes = False
) -> None:
    """The options that all commands share stand before the command."""
    context.obj = where(stage or None, endpoint or None, region), OperatorConsole(out, err, yes=yes)


@app.command()
def dlq(context: typer.Context) -> None:
    """Count the dead letters of every subscription, with their causes. Nothing is taken out."""
    there, _ = _given(context)
    found = look_into_all(there)
    if any(found.values()):
        out.print(tables.summary(found, datetime.now(UTC)))
    else:
        out.print(f"no dead letters in {len(found)} subscriptions")


@app.command("dlq-show")
def dlq_show(
    context: typer.Context, subscription: Of, org: Org = None, type_: Type = None, cause: Cause = None,
    as_json: Json = False,
) -> None:  # fmt: skip
    """Show each letter: its message, its error, its trace. Nothing is taken out."""
    there, _ = _given(context)
    letters = _chosen(box(there, subscription).look(), Wanted(org, type_, cause))
    if as_json:
        out.out(json.dumps([one.told() for one in letters], indent=2, ensure_ascii=False), highlight=False)
        return
    out.print(tables.details(letters))
    for one in letters:
        out.print(f"[bold]{escape(one.event_id or one.message_id)}[/]")
        out.out(
            one.shown if isinstance(one.shown, str) else json.dumps(one.shown, indent=2, ensure_ascii=False),
            highlight=False,
        )


@app.command()
def redrive(
    context: typer.Context, subscription: Of, org: Org = None, type_: Type = None, cause: Cause = None,
    edit: Edit = None, rate: Rate = Pace.rate,
) -> None:  # fmt: skip
    """Send letters back to their consumer, after showing which."""
    there, say = _given(context)
    patch = read_patch(edit) if edit else None
    found = box(there, subscription)
    check_can_be_redriven(found)
    letters = _chosen(found.look(), Wanted(org, type_, cause))
    bodies(letters, patch)
    edited = " with their data edited" if patch is not None else ""
    if not _agreed(say, letters, f"Send {len(letters)} letters{edited} back to {subscription}?"):
        return
    with out.status("sending"):
        count = redrive_letters(found, {one.message_id for one in letters}, patch, Pace(rate))
    out.print(f"{count} letters sent back to {subscription}")


@app.command("dlq-drop")
def dlq_drop(
    context: typer.Context, subscription: Of, reason: Reason, org: Org = None, type_: Type = None, cause: Cause = None
) -> None:
    """Give letters up, after showing which. Each organization's audit trail keeps the reason."""
    there, say = _given(context)
    if not reason.strip():
        raise RefusedError("say why: REASON='...'; audit keeps it")
    found = box(there, subscription)
    letters = _chosen(found.look(), Wanted(org, type_, cause))
    if not _agreed(say, letters, f"Give up {len(letters)} letters of {subscription} for good?"):
        return
    count = drop_letters(found, {one.message_id for one in letters}, reason.strip())
    out.print(f"{count} letters of {subscription} dropped")


@app.command()
def replay(
    context: typer.Context, service: Service, subscription: Of, org: Org = None, type_: Type = None,
    since: Since = None, until: Until = None, rate: Rate = 50.0, with_effects: Effects = False,
) -> None:  # fmt: skip
    """Feed history into one consumer. E-mails and the like stay here unless asked for."""
    there, say = _given(context)
    to = consumer(service, subscription.removeprefix(f"{service}."))
    kept = archive(there)
    span = Span(_moment(since, "FROM", kept.since), _moment(until, "TO", datetime.now(UTC)))
    if not with_effects:
        refuse_with_letters(to, len(box(there, to.name).look()))
    effects = "with its effects outside" if with_effects else "without effects outside"
    say.confirm(f"Replay {span.start:%Y-%m-%d %H:%M} to {span.end:%Y-%m-%d %H:%M} UTC into {to.name}, {effects}?")
    fed = Fed()
    with out.status("replaying") as shown:
        for fed in replay_history(kept, to, span, Chosen(org, type_), rate=rate, with_effects=with_effects):
            shown.update(f"{fed.read} events read, {fed.sent.total()} handed on")
    if not fed.sent:
        raise RefusedError(f"nothing found: {fed.read} events of that time, none of them chosen for {to.name}")
    for event_type, count in sorted(fed.sent.items()):
        out.print(f"{count} × {event_type}", highlight=False)
    if fed.unreadable:
        out.print(f"{fed.unreadable} things on the bus were no events of ours, and were left out")
    out.print(f"{fed.sent.total()} of {fed.read} events handed on to {to.name}, {effects}")


@app.command()
def rebuild(
    context: typer.Context, service: Service, subscription: Of, swap: Swap = False, drop: Drop = False
) -> None:  # fmt: skip
    """Build a projection anew beside the live one and show how they differ."""
    there, say = _given(context)
    to = consumer(service, subscription.removeprefix(f"{service}."))
    asyncio.run(rebuild_projection(there, say, to, swap=swap, drop=drop))


def _moment(text: str | None, name: str, otherwise: datetime) -> datetime:
    """A time in UTC unless it says otherwise. Raises RefusedError."""
    if text is None:
        return otherwise
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise RefusedError(f"{name}={text!r} is no time; write 2026-11-21 or 2026-11-21T09:30:00") from None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def _chosen(letters: list[DeadLetter], wanted: Wanted) -> list[DeadLetter]:
    """In the order of their events. Raises RefusedError if there are none."""
    chosen = sorted(filter(wanted, letters), key=lambda one: one.order)
    if not chosen:
        raise RefusedError(f"no such letters; {len(letters)} letters are there in all")
    return chosen


def _agreed(say: OperatorConsole, letters: list[DeadLetter], question: str) -> bool:
    """Shows what would go. False if nobody is there to agree: then it was a dry run. Raises RefusedError for a no."""
    out.print(tables.groups(letters))
    if not say.yes and not sys.stdin.isatty():
        out.print(f"a dry run: {len(letters)} letters, nothing was changed; say YES=1 to do it")
        return False
    say.confirm(question)
    return True


def _given(context: typer.Context) -> tuple[Where, OperatorConsole]:
    given: Any = context.obj
    there, say = given
    return there, say


def main() -> None:
    try:
        app()
    except DeployError as error:
        err.print(f"[red]error[/red] {escape(str(error))}", highlight=False, soft_wrap=True)
        sys.exit(1)


if __name__ == "__main__":
    main()
