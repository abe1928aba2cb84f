"""Import graph of functions: the first-party modules that a handler imports, directly or through others, and the
libraries that these import.

It reads the syntax trees: importing the code would run it, and would find whatever the development environment has.
Imports inside functions count, those for type checkers do not. An import string of ours ("services.files.api:router")
counts too, anywhere, and a dotted name of ours where a module's `__getattr__` loads it or `python -m` runs it. A module
that imports pkgutil is assumed to load all of its own package. The AWS APIs in use are read from where a client is made
or called, `client("s3")`.
"""

import ast
import re
import sys
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from deploy.errors import PackagingError

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
    """The closure of imports: first-party modules with their files, and the libraries' modules, each with the first of
    ours that imports it. Modules in `optional` may be missing; `from x import y` is x.y, because y may be a module.
    `apis` are the names by which AWS clients are made or called."""

    modules: dict[str, Path] = field(default_factory=dict)
    libraries: dict[str, str] = field(default_factory=dict)
    optional: set[str] = field(default_factory=set)
    apis: set[str] = field(default_factory=set)

    def add_module(self, module: str, tree: "Tree") -> list[str]:
        """Add a first-party module and the packages above it, which Python runs first. Returns the new ones."""
        parts = module.split(".")
        new = []
        for above in (".".join(parts[:count]) for count in range(1, len(parts) + 1)):
            path = tree.file_of(above)
            if path is not None and above not in self.modules:
                self.modules[above] = path
                new.append(above)
        return new

    def add_library(self, each: Import, importer: str) -> None:
        """Add a library's module; it is optional as long as nobody needs it."""
        known = each.full in self.libraries
        if not known or (each.full in self.optional and not each.optional):
            self.libraries[each.full] = importer
            self.optional.discard(each.full)
        if not known and each.optional:
            self.optional.add(each.full)


@dataclass(frozen=True)
class Tree:
    """First-party code: the folder of each package by its dotted name ("chassis", "services.files")."""

    folders: Mapping[str, Path]

    def owns(self, module: str) -> bool:
        top = module.partition(".")[0]
        return any(name.partition(".")[0] == top for name in self.folders)

    def file_of(self, module: str) -> Path | None:
        """The source of a module or of a package; None for a namespace package and for a missing module."""
        for base in self._paths(module):
            for path in (base / "__init__.py", base.with_name(f"{base.name}.py")):
                if path.is_file():
                    return path
        return None

    def has(self, module: str) -> bool:
        above = any(name.startswith(f"{module}.") for name in self.folders)
        return above or self.file_of(module) is not None or any(base.is_dir() for base in self._paths(module))

    def modules_of(self, each: Import, importer: str, path: Path) -> Iterator[str]:
        """The first-party modules of an import in `importer`: with pkgutil, all modules of its package.

        Raises PackagingError for a module that is missing.
        """
        if each.module == _FINDER:
            package = importer if path.name == "__init__.py" else importer.rpartition(".")[0]
            for source in sorted(path.parent.rglob("*.py")):
                parts = source.relative_to(path.parent).with_suffix("").parts
                yield ".".join((package, *(parts[:-1] if parts[-1] == "__init__" else parts)))
            return
        is_code = self.file_of(each.module) is not None
        if is_code:
            yield each.module
        if self.has(each.full):
            yield each.full
        elif not (is_code or each.optional):
            raise PackagingError(f"{importer} imports {each.full}, which its service does not ship")

    def _paths(self, module: str) -> Iterator[Path]:
        for name, folder in self.folders.items():
            if module == name:
                yield folder
            elif module.startswith(f"{name}."):
                yield folder.joinpath(*module.removeprefix(f"{name}.").split("."))


def closure_of(modules: Iterable[str], tree: Tree) -> Closure:
    """The closure of the handlers in `modules`. Raises PackagingError for a first-party import that `tree` lacks."""
    closure, waiting = Closure(), deque[str]()
    for module in sorted(set(modules)):
        if tree.file_of(module) is None:
            raise PackagingError(f"the handler's module {module} does not exist; correct it in stack.py")
        waiting += closure.add_module(module, tree)
    while waiting:
        importer = waiting.popleft()
        path = closure.modules[importer]
        imports, apis = read(importer, path, tree)
        closure.apis |= apis
        for each in imports:
            if tree.owns(each.module) or each.module == _FINDER:
                for module in tree.modules_of(each, importer, path):
                    waiting += closure.add_module(module, tree)
            elif each.module.partition(".")[0] not in sys.stdlib_module_names:
                closure.add_library(each, importer)
    return closure


def read(module: str, path: Path, tree: Tree) -> tuple[list[Import], set[str]]:
    """The imports that the code of `module` can run, and the APIs of AWS that it calls. Raises PackagingError for code
    that is not Python."""
    try:
        source = ast.parse(path.read_bytes())
    except (SyntaxError, ValueError) as error:
        raise PackagingError(f"{path} cannot be read as Python: {error}") from None
    reader = _Reader(module if path.name == "__init__.py" else module.rpartition(".")[0], tree)
    reader.visit(source)
    # A module may load others when a name is asked for (a `__getattr__` of its own), or run them (`python -m`): then
    # the modules that it spells out count.
    texts = {node.value for node in ast.walk(source) if isinstance(node, ast.Constant) and isinstance(node.value, str)}
    is_lazy = any(isinstance(node, ast.FunctionDef) and node.name == "__getattr__" for node in source.body)
    if is_lazy or _RUN in texts:
        reader.imports += [Import(text) for text in sorted(texts) if "." in text and tree.file_of(text)]
    return reader.imports, reader.apis


class _Reader(ast.NodeVisitor):
    def __init__(self, package: str, tree: Tree) -> None:
        self.imports: list[Import] = []
        self.apis: set[str] = set()
        self._package, self._tree, self._optional = package, tree, False

    def visit_Import(self, node: ast.Import) -> None:
        self.imports.extend(Import(alias.name, optional=self._optional) for alias in node.names)

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        module = absolute(node, self._package)
        for alias in node.names:
            self.imports.append(Import(module, None if alias.name == "*" else alias.name, self._optional))

    def visit_If(self, node: ast.If) -> None:
        for child in node.orelse if for_type_checkers(node) else [node.test, *node.body, *node.orelse]:
            self.visit(child)

    def visit_Try(self, node: ast.Try) -> None:
        outer = self._optional
        for handler in node.handlers:
            caught = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
            if any(isinstance(name, ast.Name) and name.id in _ABSENT for name in caught):
                self._optional = True
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
            self.imports.append(Import(match[1]))


def absolute(node: ast.ImportFrom, package: str) -> str:
    """The absolute name of the module in `from ... import`, in a module of `package`."""
    module = node.module or ""
    if not node.level:
        return module
    above = package.split(".")[: None if node.level == 1 else 1 - node.level]
    return ".".join([*above, module] if module else above)


def for_type_checkers(node: ast.If) -> bool:
    return ast.unparse(node.test) in {"TYPE_CHECKING", "typing.TYPE_CHECKING"}
