"""`python -m verification`: list the programs that prove something, with their commands.

A module or package is such a program if its docstring begins with "Proves"; the list shows the first command and the
first sentence of each.
"""

import ast
import re
import sys
from pathlib import Path

COMMAND = re.compile(r"(?:python -m|pytest) verification[\w./]*")


def programs() -> dict[str, str]:
    """Command of each program -> first sentence of its docstring."""
    sentences = {}
    for path in sorted(Path(__file__).parent.rglob("*.py")):
        text = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
        if text.startswith("Proves ") and (command := COMMAND.search(text)):
            sentences[command[0]] = text.partition("\n\n")[0].replace("\n", " ")
    return sentences


def main() -> int:
    sys.stdout.writelines(f"{command:<44} {sentence}\n" for command, sentence in programs().items())
    return 0


if __name__ == "__main__":
    sys.exit(main())
