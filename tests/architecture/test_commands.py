"""Every command that a document names can run; the help fits a screen; what the shell exports confirms nothing."""

from pathlib import Path

import pytest

from deploy.__main__ import MODULES, command_line, main
from tests.architecture.commands import ROOT, TARGETS, commands_in, problems_of, problems_of_recipe, run_make
from tests.architecture.test_documents import DOCUMENTS

COMMANDS = sorted({command for path in DOCUMENTS for command in commands_in(path.read_text(encoding="utf-8"))})
SUBCOMMANDS = sorted(name for names in MODULES.values() for name in names)
SWITCHES = {
    "deploy": ("YES", "ALLOW_REPLACE", "RECREATE", "ADOPT"),
    "destroy": ("YES", "WITH_DATA"),
    "redrive": ("YES",),
    "replay": ("YES", "WITH_EFFECTS"),
    "rebuild": ("YES", "SWAP", "DROP"),
    "e2e": ("YES",),
}
VARIABLES = ("STAGE=prod", "SERVICE=notify", "SUBSCRIPTION=notify.assignments", "TARGET=aws")


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_of_a_document_can_run(command: str) -> None:
    assert problems_of(command) == []


def test_the_documents_are_read() -> None:
    assert {"make demo", "make test", "make up RELOAD=1"} <= set(COMMANDS)
    assert {path.name for path in DOCUMENTS} >= {"README.md", "CONTRIBUTING.md", "deploying.md", "operating.md"}
    assert any(path.parent == ROOT / "faststream-sqs" for path in DOCUMENTS)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("`make lost`", "make lost: there is no such target"),
        ("```sh\nmake test && make gone ARGS=1   # no\n```", "make gone: there is no such target"),
        ("```sh\nmake test   # make sure; then make left\n```", "make left: there is no such target"),
        ("`make verify NAME=nothing`", "there are chaos rolling"),
        ("`make deploy YES=perhaps`", "say YES=1"),
        ("`python -m deploy.cli --stage dev`", "python -m deploy.cli: there is no such module"),
        ("`python -m deploy undo`", "python -m deploy undo: there is no such command"),
        ("`.venv/bin/python -m deploy dlq --all`", "No such option: --all"),
    ],
)
def test_a_command_that_cannot_run_is_named(text: str, problem: str) -> None:
    assert problem in str([each for command in commands_in(text) for each in problems_of(command)])


def test_the_help_has_sections_and_fits_a_screen() -> None:
    lines = run_make("help").stdout.splitlines()
    listed = [line.split()[0] for line in lines if line.startswith("  ")]
    sections = [line.split()[0] for line in lines[1:] if not line.startswith("  ")]
    assert sections == ["Run", "Check", "Deploy", "Operate", "Measure"]
    assert len(listed) == len(set(listed)) <= 30
    assert len(lines) <= 36
    assert max(map(len, lines)) <= 80
    assert set(listed) == TARGETS - {"help", "setup"}


@pytest.mark.parametrize("name", SUBCOMMANDS)
def test_a_command_explains_itself(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        main([name, "--help"])
    assert end.value.code == 0
    assert f"python -m deploy {name}" in capsys.readouterr().out


def test_every_module_of_commands_is_listed() -> None:
    for module, names in MODULES.items():
        assert (ROOT / "deploy/commands" / f"{module}.py").exists()
        for name in names:
            assert command_line().commands[name].name == name


@pytest.mark.parametrize("target", SWITCHES)
def test_a_dangerous_switch_counts_on_the_command_line_only(target: str) -> None:
    switches = SWITCHES[target]
    exported = run_make("-n", target, *VARIABLES, **dict.fromkeys(switches, "1")).stdout
    said = run_make("-n", target, *VARIABLES, *(f"{name}=1" for name in switches)).stdout
    denied = run_make("-n", target, *VARIABLES, *(f"{name}=0" for name in switches)).stdout
    for flag in (f"--{name.lower().replace('_', '-')}" for name in switches):
        assert flag in said
        assert flag not in exported + denied


def test_no_exported_variable_chooses_a_stage() -> None:
    done = run_make("-n", "deploy-service", STAGE="prod", SERVICE="tasks", ENDPOINT="http://127.0.0.1:9")
    assert done.returncode
    assert "say SERVICE=tasks" in done.stderr
    assert "--stage" not in run_make("-n", "dlq", STAGE="prod").stdout


def test_values_are_quoted_for_the_shell() -> None:
    variables = ("SUBSCRIPTION=a.b", "DROP=1", "REASON=it's a $$HOME test; true")
    assert problems_of_recipe("dlq", *variables) == []
    assert "'it'\\''s a $HOME test; true'" in run_make("-n", "dlq", *variables).stdout


def test_ci_runs_what_the_documents_say() -> None:
    assert "make ci" in (ROOT / ".ci/run").read_text(encoding="utf-8")
    assert Path(ROOT / ".ci/run").stat().st_mode & 0o100
