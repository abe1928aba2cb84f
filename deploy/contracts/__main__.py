"""`python -m deploy.contracts check|generate|mixed|new-event`: contracts, from the command line.

Exit code 1: something is broken (a breaking change, a stale file). 2: something cannot be read; one line says what.
"""

import argparse
import sys
from collections.abc import Callable, Iterable

from contracts.event import ContractError
from deploy.contracts import base as bases
from deploy.contracts.declared import check_versions, declared
from deploy.contracts.report import lines
from deploy.services import ROOT
from deploy.stage.errors import DeployError

BROKEN, UNREADABLE = 1, 2


def say(text: Iterable[str], *, error: bool = False) -> None:
    (sys.stderr if error else sys.stdout).write("".join(f"{line}\n" for line in text))


def check(options: argparse.Namespace) -> int:
    """Compare the working tree with the base: what changed, whom it breaks."""
    from contracts.check.verdict import judge  # noqa: PLC0415

    before = bases.snapshot(options.base or None, ROOT)
    now = declared(ROOT)
    check_versions(now.snapshot, before)
    verdict = judge(before, now.snapshot)
    say(lines(verdict, since=options.base or "the last commit"))
    say(now.unreadable, error=True)
    if verdict.breaking:
        return BROKEN
    return UNREADABLE if now.unreadable else 0


def generate(options: argparse.Namespace) -> int:
    """Write schemas, documents and the golden events that are missing; --check only tells what is stale."""
    from deploy.contracts import generated  # noqa: PLC0415

    tree = declared(ROOT)
    if tree.unreadable:
        raise ContractError(tree.unreadable[0])
    if not options.check:
        say(generated.generate(tree, ROOT))
        return 0
    found = generated.stale(tree, ROOT)
    say([*found, generated.CURE] if found else [], error=True)
    return BROKEN if found else 0


def mixed(options: argparse.Namespace) -> int:
    """Run the base's consumers on the tree's events, and the tree's on the base's."""
    from deploy.contracts.mixed import failures  # noqa: PLC0415

    tree = declared(ROOT)
    if tree.unreadable:
        raise ContractError(tree.unreadable[0])
    found = list(failures(tree.snapshot, options.base or "HEAD", ROOT))
    say(found or ["Old and new go together, both ways."])
    return BROKEN if found else 0


def new_event(options: argparse.Namespace) -> int:
    """Write a new event: its model, its golden examples and its test."""
    from deploy.contracts.new_event import create  # noqa: PLC0415

    say(create(options.service, options.event, ROOT))
    return 0


COMMANDS: dict[str, Callable[[argparse.Namespace], int]] = {
    "check": check,
    "generate": generate,
    "mixed": mixed,
    "new-event": new_event,
}


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m deploy.contracts", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    for name, function in COMMANDS.items():
        commands.add_parser(name, help=function.__doc__)
    for name in ("check", "mixed"):
        commands.choices[name].add_argument("--base", help="a git revision; the last commit if not given")
    commands.choices["generate"].add_argument("--check", action="store_true", help="write nothing")
    for name in ("service", "event"):
        commands.choices["new-event"].add_argument(name)
    options = parser.parse_args(arguments)
    try:
        return COMMANDS[options.command](options)
    except (ContractError, DeployError) as error:
        say([str(error)], error=True)
        return UNREADABLE


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
