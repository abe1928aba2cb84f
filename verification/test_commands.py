"""The lists of `python -m verification` and `python -m bench` are complete, and derived from the modules themselves."""

from pathlib import Path

import bench.__main__ as bench
import verification.__main__ as verification

ROOT = Path(__file__).parents[1]


def test_every_package_of_verification_is_a_program() -> None:
    packages = {path.parent.name for path in (ROOT / "verification").glob("*/__init__.py")}
    assert packages == {
        command.split("verification")[1].lstrip("./").split(".")[0] for command in verification.programs()
    }


def test_every_command_of_verification_is_a_module_with_a_main() -> None:
    for command in verification.programs():
        if command.startswith("python"):
            path = ROOT.joinpath(*command.removeprefix("python -m ").split("."))
            module = path.with_suffix(".py") if path.with_suffix(".py").exists() else path / "__main__.py"
            assert "def main(" in module.read_text(), command


def test_every_module_of_bench_with_a_prog_is_listed() -> None:
    with_main = {path.stem for path in (ROOT / "bench").glob("*.py") if "def main() ->" in path.read_text()}
    assert set(bench.measurements()) == with_main


def test_the_lists_say_what_is_proved_or_measured() -> None:
    assert all(sentence.startswith("Proves ") for sentence in verification.programs().values())
    assert all(sentence.startswith("Measures ") for sentence in bench.measurements().values())
