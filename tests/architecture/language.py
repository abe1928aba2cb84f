"""`python -m tests.architecture.language [PATH ...]`: English that is hard to read, and names that say too little.

Docstrings, comments and texts of all code, the documents, and public names of functions are checked. A line that needs
such words, as in this module, is marked: `# language: <reason>`.
"""

import ast
import io
import re
import subprocess
import sys
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.architecture.counts import FOLDERS, functions_of

ROOT = Path(__file__).parents[2]
OPT_OUT = re.compile(r"#\s*language:\s*\S{3,}")
LEFT_OUT = re.compile(r"^(docs/asyncapi/|contracts/(golden|schemas)/|examples/acme/|.*\.(lock|json)$)")
BREAK = re.compile(r"[\s#]+")


@dataclass(frozen=True)
class Rule:
    pattern: re.Pattern[str]
    instead: str


def _rule(pattern: str, instead: str) -> Rule:
    return Rule(re.compile(pattern, re.IGNORECASE), instead)


RULES = (
    _rule(r"(?<!there )\b(is|are|was|were) no (?!longer\b|more\b|one\b|matter\b|less\b)\w+", "is not a ..."),
    _rule(
        r"(?<!there )\b(is|are) (?-i:none)\b(?! of (this|that|these|those|them)\b.{0,40}\bis\b)",
        "is not ..., or has no ...",
    ),
    _rule(r"\bmay (everything|all|it|too)\b", "a modal verb needs a verb: may do everything"),
    _rule(r"\bwork(ed|s|ing)? off\b", "process"),
    _rule(r"\bmend(s|ed|ing)?\b", "fix, or correct"),
    _rule(r"\bstands there\b", "is there, or appears"),
    _rule(r"\btells of\b", "says, reports, or is about"),
)
FIRST_WORDS = {"what", "who", "whoever", "whom", "whose", "where", "wherever", "whatever"}
TERMS: dict[str, str] = {}
"""Public names that are participles and standard terms of the field, each with its reason."""


@dataclass(frozen=True, order=True)
class Finding:
    path: str
    line: int
    text: str
    instead: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.text!r}: {self.instead}"


def check_python(path: str, source: str) -> list[Finding]:
    """Findings in a module; `path` is relative to the root."""
    excused = {number for number, line in enumerate(source.splitlines(), start=1) if OPT_OUT.search(line)}
    tree = ast.parse(source, path)
    findings = [*_words(path, source), *_docstrings(path, tree)]
    if path.startswith(FOLDERS):
        findings += _names(path, tree)
    return sorted({each for each in findings if each.line not in excused})


def check_text(path: str, text: str) -> list[Finding]:
    return sorted(set(_phrases(path, 1, text)))


def _words(path: str, source: str) -> Iterator[Finding]:
    block: list[tuple[int, str]] = []  # comments on successive lines are one text
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            if block and token.start[0] > block[-1][0] + 1:
                yield from _comment(path, block)
                block = []
            block.append((token.start[0], token.string))
        elif token.type == tokenize.STRING or tokenize.tok_name[token.type] == "FSTRING_MIDDLE":
            yield from _phrases(path, token.start[0], token.string)
    yield from _comment(path, block)


def _comment(path: str, block: list[tuple[int, str]]) -> Iterator[Finding]:
    if block:
        yield from _phrases(path, block[0][0], "\n".join(text for _, text in block))


def _phrases(path: str, line: int, text: str) -> Iterator[Finding]:
    """Matches, also across line breaks, with the lines on which they begin."""
    plain = BREAK.sub(" ", text)
    breaks = [match.end() - len(match.group(0)) for match in BREAK.finditer(text)]
    for rule in RULES:
        for match in rule.pattern.finditer(plain):
            words = plain.count(" ", 0, match.start())
            at = breaks[words - 1] if words else 0
            yield Finding(path, line + text.count("\n", 0, at + 1), match.group(0), rule.instead)


def _docstrings(path: str, tree: ast.Module) -> Iterator[Finding]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            text = ast.get_docstring(node)
            first = re.match(r"[A-Za-z]+", text or "")
            if first and first.group(0).lower() in FIRST_WORDS:
                line = node.body[0].lineno
                yield Finding(
                    path, line, first.group(0), "begin a docstring with a noun or a verb, and the standard term"
                )


def _names(path: str, tree: ast.Module) -> Iterator[Finding]:
    for function in functions_of(tree, path):
        if function.is_participle and not function.is_private and function.name not in TERMS:
            yield Finding(path, function.line, function.name, "name a function by a verb, a value by a noun")


def check_files(names: list[str], root: Path = ROOT) -> list[Finding]:
    findings: list[Finding] = []
    for name in names:
        if LEFT_OUT.match(name) or not (root / name).is_file():
            continue
        if name.endswith(".py"):
            findings += check_python(name, (root / name).read_text(encoding="utf-8"))
        elif name.endswith((".md", ".tmpl", ".txt", ".mjml", "Makefile")):
            findings += check_text(name, (root / name).read_text(encoding="utf-8"))
    return findings


def tracked(root: Path = ROOT) -> list[str]:
    listed = subprocess.run(
        ["git", "-C", str(root), "ls-files", "-co", "--exclude-standard"],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    return listed.stdout.splitlines()


def main(arguments: list[str]) -> int:
    wanted = tuple(argument.rstrip("/") for argument in arguments)
    names = [name for name in tracked() if not wanted or name.startswith(wanted)]
    findings = check_files(names)
    sys.stdout.writelines(f"{each}\n" for each in findings)
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
