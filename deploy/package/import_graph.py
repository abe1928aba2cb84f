"""What a function reaches: the first-party modules that its handler imports, directly or through others of them, and
the libraries that these import.

Read from the syntax trees, for importing the code would run it, and would find what the development environment has.
Imports inside functions count, those for type checkers do not. An import string of ours ("services.files.api:router")
counts too, wherever it stands, and a dotted name of ours where a module's `__getattr__` loads it or
`python -m` runs it. Who imports pkgutil is taken to load all of its own package. Which APIs of AWS are called is read
from where a client is made or called, `client("s3")`.
"""

import ast
import re
import sys
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from deploy.stage.errors import PackagingError

_IMPORT_STRING = re.compile(r"([A-Za-z_]\w*(?:\.\w+)*):\w+")
_FINDER, _RUN = "pkgutil", "-m"
_CLIENT_CALLS = frozenset({"boto3", "call", "client", "create_client"})
_ABSENT = frozenset({"ImportError", "ModuleNotFoundError"})


@dataclass(frozen=True)
class Import:
    """`import module`, or `from module import name`. It is optional where its failure is caught."""

    module: str
    name: str | None = None
    optional: bool = False

    @property
    def full(self) -> str:
        return f"{self.module}.{self.name}" if self.name else self.module


@dataclass
class Closure:
    """First-party modules with their files, and the libraries' modules, each with the first of ours that imports it.
    What `optional` names may be missing; `from x import y` is x.y, for y may be a module. `apis` are the names by which
    clients of AWS are made or called."""

    modules: dict[str, Path] = field(default_factory=dict)
    libraries: dict[str, str] = field(default_factory=dict)
    optional: set[str] = field(default_factory=set)
    apis: set[str] = field(default_factory=set)


@dataclass(frozen=True)
class Tree:
    """First-party code: the folder of each package by its dotted name ("chassis", "services.files")."""

    folders: Mapping[str, Path]

    def owns(self, module: str) -> bool:
        top = module.partition(".")[0]
        return any(name.partition(".")[0] == top for name in self.folders)

    def file_of(self, module: str) -> Path | None:
        """The source of a module or of a package; None for a namespace package and for what is not there."""
        for base in self._places(module):
            for path in (base / "__init__.py", base.with_name(f"{base.name}.py")):
                if path.is_file():
                    return path
        return None

    def has(self, module: str) -> bool:
        above = any(name.startswith(f"{module}.") for name in self.folders)
        return above or self.file_of(module) is not None or any(base.is_dir() for base in self._places(module))

    def _places(self, module: str) -> Iterator[Path]:
        for name, folder in self.folders.items():
            if module == name:
                yield folder
            elif module.startswith(f"{name}."):
                yield folder.joinpath(*module.removeprefix(f"{name}.").split("."))


def reach(modules: Iterable[str], tree: Tree) -> Closure:
    """What the handlers in `modules` reach. Raises PackagingError for a first-party import that `tree` cannot meet."""
    found, waiting = Closure(), deque[str]()
    for module in sorted(set(modules)):
        if tree.file_of(module) is None:
            raise PackagingError(f"the handler's module {module} does not exist; correct it in stack.py")
        waiting += _visit(module, tree, found)
    while waiting:
        importer = waiting.popleft()
        imports, apis = read(importer, found.modules[importer], tree)
        found.apis |= apis
        for one in imports:
            if tree.owns(one.module):
                for module in _first_party(one, importer, tree):
                    waiting += _visit(module, tree, found)
            elif one.module == _FINDER:
                for module in _beneath(importer, found.modules[importer]):
                    waiting += _visit(module, tree, found)
            elif one.module.partition(".")[0] not in sys.stdlib_module_names:
                _note_library(one, importer, found)
    return found


def _beneath(importer: str, path: Path) -> Iterator[str]:
    """The modules of the importer's package and of the packages in it."""
    package = importer if path.name == "__init__.py" else importer.rpartition(".")[0]
    for source in sorted(path.parent.rglob("*.py")):
        parts = source.relative_to(path.parent).with_suffix("").parts
        yield ".".join((package, *(parts[:-1] if parts[-1] == "__init__" else parts)))


def _visit(module: str, tree: Tree, found: Closure) -> list[str]:
    """What is new of a module and the packages above it, which Python runs first."""
    parts = module.split(".")
    new = []
    for above in (".".join(parts[:count]) for count in range(1, len(parts) + 1)):
        path = tree.file_of(above)
        if path is not None and above not in found.modules:
            found.modules[above] = path
            new.append(above)
    return new


def _first_party(one: Import, importer: str, tree: Tree) -> Iterator[str]:
    is_code = tree.file_of(one.module) is not None
    if is_code:
        yield one.module
    if tree.has(one.full):
        yield one.full
    elif not (is_code or one.optional):
        raise PackagingError(f"{importer} imports {one.full}, which is not in what its service ships")


def _note_library(one: Import, importer: str, found: Closure) -> None:
    known = one.full in found.libraries
    if not known or (one.full in found.optional and not one.optional):
        found.libraries[one.full] = importer
        found.optional.discard(one.full)
    if not known and one.optional:
        found.optional.add(one.full)


def read(module: str, path: Path, tree: Tree) -> tuple[list[Import], set[str]]:
    """The imports that the code of `module` can run, and the APIs of AWS that it calls. Raises PackagingError for code
    that is not Python."""
    try:
        source = ast.parse(path.read_bytes())
    except (SyntaxError, ValueError) as error:
        raise PackagingError(f"{path} cannot be read as Python: {error}") from None
    reader = _Reader(module if path.name == "__init__.py" else module.rpartition(".")[0], tree)
    reader.visit(source)
    return reader.found + _lazy(source, tree), reader.apis


def _lazy(source: ast.Module, tree: Tree) -> list[Import]:
    """The modules that a module spells out, if it loads them when a name is asked for (a `__getattr__` of its own) or
    runs them in a process (`python -m`)."""
    texts = {one.value for one in ast.walk(source) if isinstance(one, ast.Constant) and isinstance(one.value, str)}
    lazy = any(isinstance(one, ast.FunctionDef) and one.name == "__getattr__" for one in source.body)
    if not lazy and _RUN not in texts:
        return []
    return [Import(text) for text in sorted(texts) if "." in text and tree.file_of(text)]


class _Reader(ast.NodeVisitor):
    def __init__(self, package: str, tree: Tree) -> None:
        self.found: list[Import] = []
        self.apis: set[str] = set()
        self._package, self._tree, self._optional = package, tree, False

    def visit_Import(self, node: ast.Import) -> None:
        self.found.extend(Import(alias.name, optional=self._optional) for alias in node.names)

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        module = absolute(node, self._package)
        for alias in node.names:
            self.found.append(Import(module, None if alias.name == "*" else alias.name, self._optional))

    def visit_If(self, node: ast.If) -> None:
        for child in node.orelse if for_type_checkers(node) else [node.test, *node.body, *node.orelse]:
            self.visit(child)

    def visit_Try(self, node: ast.Try) -> None:
        outer = self._optional
        self._optional = outer or any(_catches_absence(handler) for handler in node.handlers)
        for child in node.body:
            self.visit(child)
        self._optional = outer
        for rest in (*node.handlers, *node.orelse, *node.finalbody):
            self.visit(rest)

    def visit_Call(self, node: ast.Call) -> None:
        named = node.args[0].value if node.args and isinstance(node.args[0], ast.Constant) else None
        if isinstance(node.func, ast.Attribute) and node.func.attr in _CLIENT_CALLS and isinstance(named, str):
            self.apis.add(named)
        self.generic_visit(node)

    def visit_Constant(self, node: ast.Constant) -> None:
        match = _IMPORT_STRING.fullmatch(node.value) if isinstance(node.value, str) else None
        if match and self._tree.file_of(match[1]):
            self.found.append(Import(match[1]))


def absolute(node: ast.ImportFrom, package: str) -> str:
    """What `from ... import` names in a module of `package`."""
    module = node.module or ""
    if not node.level:
        return module
    above = package.split(".")[: None if node.level == 1 else 1 - node.level]
    return ".".join([*above, module] if module else above)


def for_type_checkers(node: ast.If) -> bool:
    return ast.unparse(node.test) in {"TYPE_CHECKING", "typing.TYPE_CHECKING"}


def _catches_absence(handler: ast.ExceptHandler) -> bool:
    caught = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    return any(isinstance(one, ast.Name) and one.id in _ABSENT for one in caught)
