"""`python -m bench [NAME [ARGUMENT ...]]`: run a measurement, or list them all.

A module is a measurement if its docstring has its command; the list shows the first sentences of these docstrings.
"""

import ast
import runpy
import sys
from pathlib import Path


def measurements() -> dict[str, str]:
    """Name of each measurement -> first sentence of its docstring."""
    docstrings = {
        path.stem: ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
        for path in sorted(Path(__file__).parent.glob("*.py"))
    }
    return {
        name: text.partition("\n\n")[0].replace("\n", " ")
        for name, text in docstrings.items()
        if f"python -m bench {name}" in text
    }


def main(arguments: list[str]) -> int:
    available = measurements()
    if not arguments or arguments[0] not in available:
        sys.stdout.writelines(f"python -m bench {name:<12} {sentence}\n" for name, sentence in available.items())
        return 1 if arguments and arguments[0] not in {"-h", "--help"} else 0
    name, *sys.argv[1:] = arguments
    runpy.run_module(f"bench.{name}", run_name="__main__", alter_sys=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
