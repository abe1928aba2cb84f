"""The commands in documents, and the check that each of them can run: its target, its modules, its options."""

import importlib.util
import re
import shlex
import subprocess
from pathlib import Path
from typing import Any

from typer.core import TyperGroup

from deploy.__main__ import command_line

ROOT = Path(__file__).parents[2]
MAKE = ("make", "-o", ".venv/.ready", "-o", ".local/emulator-venv/.ready", "--no-print-directory")
"""Without setting up the environments."""
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")
TARGETS = {name for line in re.findall(r"^\.PHONY: (.+)$", MAKEFILE, re.MULTILINE) for name in line.split()}
SAMPLES = {
    "CALL": "/v1/projects",
    "DO": "stop",
    "EVENT": "TaskArchived",
    "NAME": "tasks",
    "REASON": "why",
    "SEED": "7",
    "SERVICE": "tasks",
    "STAGE": "dev",
    "SUBSCRIPTION": "notify.assignments",
}
"""Values of variables that a document leaves out where it names a command in passing."""
NAMES = {"verify": "chaos", "bench": "flood", "new-service": "billing"}
"""Samples of NAME for the targets that it does not mean a service for."""
CODE = re.compile(r"^[ \t]*```\w*\n(.*?)^[ \t]*```|`([^`\n]+)`", re.MULTILINE | re.DOTALL)
IN_COMMENT = re.compile(r"\bmake (?!it\b|of\b|the\b|a\b|sure\b)([a-z][a-z-]*)")
COMMAND = re.compile(r"^(?:make\s+[a-z]|make$|(?:\S*/)?python3? -m )")


def commands_in(text: str) -> list[str]:
    """The `make ...` and `python -m ...` commands in the code of a document and in its comments, each once."""
    commands = []
    for block, span in CODE.findall(text):
        for line in (block or span).splitlines():
            code, comment, *_ = *re.split(r"(?:^|\s)#", line, maxsplit=1), ""
            commands += [part.strip().removeprefix("$ ") for part in re.split(r"&&|;|\|(?!\w)", code)]
            commands += [f"make {target}" for target in IN_COMMENT.findall(comment)]
    return list(dict.fromkeys(command for command in commands if COMMAND.match(command)))


def problems_of(command: str) -> list[str]:
    """The reasons why a command of a document cannot run, none if it can. Nothing is run."""
    words = [word for word in shlex.split(command) if not word.startswith("[") and not word.endswith("]")]
    if words[0] != "make":
        return _problems_of_python(words[words.index("-m") + 1 :])
    given = dict(word.split("=", 1) for word in words if "=" in word)
    target = next((word for word in words[1:] if "=" not in word), "help")
    if target not in TARGETS:
        return [f"make {target}: there is no such target"]
    samples = SAMPLES | {"NAME": NAMES.get(target, SAMPLES["NAME"])}
    optional = {"SUBSCRIPTION"} if target == "dlq" and "DROP" not in given else set()
    variables = {name: value for name, value in samples.items() if name not in optional} | given
    if target == "status" and "STAGE" not in given:
        del variables["STAGE"]
    return problems_of_recipe(target, *(f"{name}={value}" for name, value in variables.items() if value))


def problems_of_recipe(target: str, *variables: str) -> list[str]:
    """The reasons why the recipe of a target cannot run with these variables."""
    done = run_make("-n", target, *variables)
    if done.returncode:
        return [done.stderr.strip()]
    lines = re.split(r"\n|&&", done.stdout.replace("\\\n", " "))
    python = [shlex.split(line) for line in lines if re.match(r"\s*\S*/python -m ", line)]
    return [problem for words in python for problem in _problems_of_python(words[words.index("-m") + 1 :])]


def run_make(*arguments: str, **exported: str) -> subprocess.CompletedProcess[str]:
    """Make, with nothing in its environment but the path and `exported`."""
    environment = {"PATH": "/usr/local/bin:/usr/bin:/bin", **exported}
    return subprocess.run(
        [*MAKE, *arguments], cwd=ROOT, env=environment, capture_output=True, text=True, check=False, timeout=60
    )


def _problems_of_python(words: list[str]) -> list[str]:
    module, arguments = words[0], words[1:]
    if module == "deploy":
        return _problems_of_options(arguments)
    try:
        found = importlib.util.find_spec(module)
        if found and found.submodule_search_locations:
            found = importlib.util.find_spec(f"{module}.__main__")
    except ModuleNotFoundError:
        found = None
    return [] if found else [f"python -m {module}: there is no such module"]


def _problems_of_options(arguments: list[str]) -> list[str]:
    """Parses the arguments of `python -m deploy`, and runs nothing."""
    command: Any = command_line()
    name, rest = "deploy", arguments
    while isinstance(command, TyperGroup) and rest and rest != ["--help"]:
        name, rest = rest[0], rest[1:]
        if name not in command.commands:
            return [f"python -m deploy {name}: there is no such command"]
        command = command.commands[name]
    if rest == ["--help"]:
        return []
    try:
        command.make_context(name, [word for word in rest if not word.startswith(">")])
    except Exception as error:  # noqa: BLE001 - the parser's own errors have no public base class
        return [f"python -m deploy {name}: {error}"]
    return []
