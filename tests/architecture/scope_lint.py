"""`python -m tests.architecture.scope_lint [FOLDER]`: refuses code that bypasses an organization's scope.

A line that must do so gives the reason, on itself or on the line above: `# unscoped(<rule>): <reason>`. List them all
with `grep -rn "unscoped(" chassis services`.
"""

import ast
import re
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = ("chassis", "services")
LEFT_OUT = ("chassis/testing/",)

RULES = {
    "raw-key": "build keys with the scope (scope.key, scope.entry) or with a function of chassis.storage.keys",
    "key-outside-repository": "only a service's repository knows its keys and its table",
    "scan": "a scan reads every organization; use a list",
    "unscoped-cache": "what is kept between requests must be keyed by the organization and bounded",
    "made-scope": "scopes are made where somebody is admitted: guards, the dispatcher, schedules",
}
OPT_OUT = re.compile(r"#\s*unscoped\((?P<rule>[a-z-]*)\):?\s*(?P<reason>.*)")
SHORTEST_REASON = 20

DECLARED: Mapping[str, frozenset[str]] = {
    "chassis/storage/keys.py": frozenset({"raw-key"}),
    "chassis/work/scope.py": frozenset({"raw-key", "made-scope"}),
    "chassis/storage/work_queue.py": frozenset({"raw-key"}),  # lists of all organizations, for schedules
    "chassis/work/cache.py": frozenset({"unscoped-cache"}),  # the only reader of a process's cache, by scope
    "chassis/http/guard.py": frozenset({"made-scope"}),
    "chassis/http/admission.py": frozenset({"made-scope"}),
    "chassis/messaging/dispatch.py": frozenset({"made-scope"}),
}
"""The entry points, and what is theirs to do."""

FAMILY = re.compile(r"(ORG|USER|OUTBOX|INBOX|UNIQUE|GENERATION|TOKEN|WORK|IDEMPOTENCY)#")
KEYS, SCOPES = {"Key", "ListEntry"}, {"OrgScope", "UserScope", "for_org", "for_user"}
PREFIXES = {"org_prefix", "user_prefix", "work_pk", "outbox_pk"}
CACHES = {"cache", "lru_cache", "cached", "alru_cache", "TTLCache", "LRUCache", "WeakValueDictionary"}
KEPT, KEPT_CALLS = "ProcessCache", {"find", "keep", "drop", "drop_all"}
"""The cache of a process (chassis.work.cache): `Cached` reads it by scope, and nothing else may do so."""
CONTAINERS = {"dict", "list", "set", "defaultdict", "OrderedDict", "deque", "Counter"}
CHANGING = {"add", "append", "appendleft", "extend", "insert", "pop", "popitem", "remove", "setdefault", "update"}
TABLE_CALLS = {"get", "query", "write", "discard"}


@dataclass(frozen=True, order=True)
class Finding:
    path: str
    line: int
    rule: str
    what: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.rule}: {self.what}"


def check(path: str, source: str) -> list[Finding]:
    """Findings in one file; `path` is relative to the root, with slashes."""
    tree = ast.parse(source, path)
    raw = [each for each in _Rules(path, tree).findings() if each.rule not in DECLARED.get(path, ())]
    excuses = dict(_excuses(source))
    findings: list[Finding] = []
    used: set[int] = set()
    for each in raw:
        at = next((line for line in (each.line, each.line - 1) if excuses.get(line, ("", ""))[0] == each.rule), None)
        if at is None:
            findings.append(each)
        used.add(at or 0)
    for line, (rule, reason) in excuses.items():
        if line not in used:
            findings.append(Finding(path, line, "opt-out", f"nothing here needs unscoped({rule}); remove it"))
        elif len(reason) < SHORTEST_REASON:
            findings.append(Finding(path, line, "opt-out", f"unscoped({rule}) needs a reason that another can judge"))
    return sorted(set(findings))


class _Rules:
    """All rules, applied to one module."""

    def __init__(self, path: str, tree: ast.Module) -> None:
        self._path, self._tree = path, tree
        self._in_service = path.startswith("services/")
        self._is_repository = path.rpartition("/")[2] == "repository.py"
        self._docstrings = {id(text) for text in _docstrings(tree)}

    def findings(self) -> Iterator[Finding]:
        for node in ast.walk(self._tree):
            match node:
                case ast.Call():
                    yield from self._of_call(node)
                case ast.Constant(value=str() as text) if id(node) not in self._docstrings:
                    yield from self._of_text(node, text)
                case ast.FunctionDef() | ast.AsyncFunctionDef():
                    yield from self._of_decorators(node)
                case ast.ImportFrom(module="chassis.storage.keys") if self._in_service:
                    yield from (
                        self._finding(node, "raw-key", f"{each.name} makes a key of any owner")
                        for each in node.names
                        if each.name in PREFIXES
                    )
        yield from self._kept_between_requests()

    def _of_call(self, node: ast.Call) -> Iterator[Finding]:
        name, receiver = _called(node.func)
        if name in KEYS:
            yield self._finding(node, "raw-key", f"{name}(...) names any owner's key")
        if name in SCOPES:
            yield self._finding(node, "made-scope", f"{name}(...) admits to whatever it is given")
        if name == "replace" and {each.arg for each in node.keywords} & {"org_id", "user_id"}:
            yield self._finding(node, "made-scope", "replace(...) puts another owner into a scope")
        if name == KEPT or (receiver == "process_cache" and name in KEPT_CALLS):
            yield self._finding(node, "unscoped-cache", f"{name}(...) has the answers of every organization")
        if name == "scan":
            yield self._finding(node, "scan", "a scan reads every organization")
        if self._in_service and not self._is_repository:
            if name in {"key", "entry"} and receiver in {"scope", "_scope"}:
                yield self._finding(node, "key-outside-repository", f"{receiver}.{name}(...)")
            if name in TABLE_CALLS and receiver in {"table", "_table"}:
                yield self._finding(node, "key-outside-repository", f"{receiver}.{name}(...)")

    def _of_text(self, node: ast.Constant, text: str) -> Iterator[Finding]:
        if FAMILY.match(text):
            yield self._finding(node, "raw-key", f"{text!r} is the beginning of a key")
        if text in {"Scan", "scan"}:
            yield self._finding(node, "scan", "a scan reads every organization")

    def _of_decorators(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> Iterator[Finding]:
        for decorator in node.decorator_list:
            name, _ = _called(decorator.func if isinstance(decorator, ast.Call) else decorator)
            if name in CACHES:
                yield self._finding(decorator, "unscoped-cache", f"@{name} keeps answers for everybody")

    def _kept_between_requests(self) -> Iterator[Finding]:
        """Containers of the module or of a class that its functions change: they outlive a request."""
        bodies = [self._tree.body, *(node.body for node in ast.walk(self._tree) if isinstance(node, ast.ClassDef))]
        shared = {name: node for body in bodies for name, node in _containers(body)}
        changed = {name for function in _functions(self._tree) for name in _changed_in(function)}
        for name in sorted(shared.keys() & changed):
            yield self._finding(shared[name], "unscoped-cache", f"{name} outlives the request that changes it")

    def _finding(self, node: ast.stmt | ast.expr, rule: str, what: str) -> Finding:
        return Finding(self._path, node.lineno, rule, f"{what}; {RULES[rule]}")


def _called(node: ast.expr) -> tuple[str, str]:
    """`("get", "table")` of `scope.table.get`."""
    match node:
        case ast.Name(id=name):
            return name, ""
        case ast.Attribute(value=ast.Name(id=receiver), attr=name):
            return name, receiver
        case ast.Attribute(value=ast.Attribute(attr=receiver), attr=name):
            return name, receiver
        case ast.Attribute(attr=name):
            return name, ""
    return "", ""


def _containers(body: list[ast.stmt]) -> Iterator[tuple[str, ast.stmt]]:
    for node in body:
        match node:
            case (
                ast.Assign(targets=[ast.Name(id=name)], value=value)
                | ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value)
            ):
                if _is_container(value):
                    yield name, node


def _is_container(value: ast.expr) -> bool:
    if isinstance(value, ast.Call):
        return _called(value.func)[0] in CONTAINERS | CACHES
    return isinstance(value, ast.Dict | ast.List | ast.Set | ast.DictComp | ast.ListComp | ast.SetComp)


def _functions(tree: ast.Module) -> Iterator[ast.AST]:
    return (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda))


def _changed_in(function: ast.AST) -> Iterator[str]:
    for node in ast.walk(function):
        match node:
            case ast.Subscript(value=container, ctx=ast.Store() | ast.Del()):
                yield _called(container)[0]
            case ast.Call(func=ast.Attribute(value=container, attr=method)) if method in CHANGING:
                yield _called(container)[0]
            case ast.AugAssign(target=ast.Name(id=name)):
                yield name
            case ast.Global(names=names):
                yield from names


def _docstrings(tree: ast.Module) -> Iterator[ast.expr]:
    """Texts that are statements: they document, and no code reads them."""
    return (node.value for node in ast.walk(tree) if isinstance(node, ast.Expr))


def _excuses(source: str) -> Iterator[tuple[int, tuple[str, str]]]:
    for number, line in enumerate(source.splitlines(), start=1):
        if match := OPT_OUT.search(line):
            yield number, (match["rule"], match["reason"].strip())


def check_all(root: Path = ROOT) -> list[Finding]:
    findings: list[Finding] = []
    for folder in FOLDERS:
        for path in sorted((root / folder).rglob("*.py")):
            name = path.relative_to(root).as_posix()
            if not name.startswith(LEFT_OUT):
                findings += check(name, path.read_text(encoding="utf-8"))
    return findings


def main(arguments: list[str]) -> int:
    findings = check_all(Path(arguments[0]) if arguments else ROOT)
    sys.stdout.writelines(f"{each}\n" for each in findings)
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
