"""`python -m tests.architecture.counts [FOLDER ...]`: sizes and names of the code, with their limits.

All functions of the product, its commands and its programs are counted, but not tests that pytest collects.
"""

import ast
import re
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).parents[2]
FOLDERS = (
    "contracts",
    "awsjson/src",
    "faststream-sqs/src",
    "chassis",
    "services",
    "deploy",
    "examples",
    "verification",
    "bench",
)
MAX_FILE_LINES, MAX_FUNCTION_LINES = 300, 40
LONG_SIGNATURES = {
    ("faststream-sqs/src/faststream_sqs/broker.py", "__init__"),
    ("faststream-sqs/src/faststream_sqs/registrator.py", "subscriber"),
}
"""Public signatures with one typed keyword per line, as FastStream's own brokers have them; their bodies are short."""
MAX_CALLED_ONCE, MAX_PARTICIPLES = 0.10, 0.01

PARTICIPLE = re.compile(r"_*[a-z]*(ed|wn|ought|aught|ung|oken|osen|itten|idden|ven)$")
IRREGULAR = set(
    re.findall(
        r"\w+",
        """
    begun bent born bound brought built cut done drawn fed felt found gone held kept laid led left lost made
    meant met put read run said seen sent set shown shut sold spent spread stood sworn taken taught told
    thought understood worn won
        """,
    )
)
VERBS_TOO = {"cut", "put", "read", "run", "set", "shut", "spread", "bound", "found", "left"}
"""Participles that are verbs or nouns as well: `read()` and `set()` are named by what they do."""
NOUNS = set(
    re.findall(
        r"\w+",
        """
    bed down embed even eleven exceed feed given need own proceed red seed seven shed spawn speed teardown
    token unknown
        """,
    )
)
TERMS = {"cached", "guarded", "signed_in"}


@dataclass
class Function:
    path: str
    line: int
    name: str
    lines: int
    """From its first to its last line, without its docstring."""

    @property
    def is_private(self) -> bool:
        return self.name.startswith("_") and not self.name.startswith("__")

    @property
    def is_long(self) -> bool:
        return self.lines > MAX_FUNCTION_LINES and (self.path, self.name) not in LONG_SIGNATURES

    @property
    def is_participle(self) -> bool:
        return is_participle(self.name)


@dataclass(repr=False)
class Counts:
    files: dict[str, int] = field(default_factory=dict)
    functions: list[Function] = field(default_factory=list)
    calls: dict[str, Counter[str]] = field(default_factory=dict)
    """By file: how often each name appears, besides its definition."""

    @property
    def long_files(self) -> list[str]:
        return [f"{path}: {lines} lines" for path, lines in sorted(self.files.items()) if lines > MAX_FILE_LINES]

    @property
    def long_functions(self) -> list[str]:
        return [f"{f.path}:{f.line}: {f.name}: {f.lines} lines" for f in self.functions if f.is_long]

    @property
    def called_once(self) -> list[Function]:
        return [f for f in self.functions if f.is_private and self.calls[f.path][f.name] == 1]

    @property
    def participles(self) -> list[Function]:
        return [f for f in self.functions if f.is_participle]


def is_participle(name: str) -> bool:
    """Whether a name is one bare participle, such as `_moved` or `told`."""
    word = name.strip("_")
    if "_" in word or word in NOUNS | TERMS | VERBS_TOO:
        return False
    return word in IRREGULAR or (len(word) > 3 and PARTICIPLE.fullmatch(word) is not None)


def count(root: Path = ROOT, folders: tuple[str, ...] = FOLDERS) -> Counts:
    counts = Counts()
    for folder in folders:
        for path in sorted((root / folder).rglob("*.py")):
            name = path.relative_to(root).as_posix()
            if not path.name.startswith("test_") and path.name != "conftest.py":
                _count_file(counts, name, path.read_text(encoding="utf-8"))
    return counts


def _count_file(counts: Counts, path: str, source: str) -> None:
    tree = ast.parse(source, path)
    counts.files[path] = source.count("\n")
    counts.functions += functions_of(tree, path)
    counts.calls[path] = Counter(_names(tree))


def functions_of(tree: ast.Module, path: str) -> Iterator[Function]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            text = ast.get_docstring(node, clean=False)
            lines = (node.end_lineno or node.lineno) - node.lineno + 1 - (text.count("\n") + 1 if text else 0)
            yield Function(path, node.lineno, node.name, lines)


def _names(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Name):
            yield node.id
        elif isinstance(node, ast.Attribute):
            yield node.attr


def report(counts: Counts) -> Iterator[str]:
    total = len(counts.functions) or 1
    once, named = len(counts.called_once), len(counts.participles)
    yield f"{len(counts.files)} files, {total} functions"
    yield f"files of more than {MAX_FILE_LINES} lines: {len(counts.long_files)}"
    yield f"functions of more than {MAX_FUNCTION_LINES} lines: {len(counts.long_functions)}"
    yield f"private and called once: {once} ({once / total:.1%}, at most {MAX_CALLED_ONCE:.0%})"
    yield f"named by a bare participle: {named} ({named / total:.1%}, at most {MAX_PARTICIPLES:.0%})"


def main(arguments: list[str]) -> int:
    """Print the counts; with folders as arguments, list every function behind them."""
    counts = count(folders=tuple(arguments) or FOLDERS)
    sys.stdout.writelines(f"{line}\n" for line in report(counts))
    if arguments:
        sys.stdout.writelines(f"{line}\n" for line in counts.long_files + counts.long_functions)
        for title, functions in (("called once", counts.called_once), ("participle", counts.participles)):
            sys.stdout.writelines(f"{f.path}:{f.line}: {title}: {f.name}, {f.lines} lines\n" for f in functions)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
