"""Tree shaking: drops the modules of libraries that nothing imports. A cold start unpacks each file, and most of a
library is for other users (FastStream's other brokers). It is switched off by default: a dynamic import that it does
not see would be an outage.

It reads the syntax trees, beginning with the modules that our code imports. A module that imports by computed names, or
lies beside native code (which imports unseen), keeps its whole package, except modules that cannot be imported because
they begin with an import of what is not locked (a plugin for pytest, a backend on trio). Native code and data stay.
"""

import ast
import re
import sys
import threading
from collections import deque
from collections.abc import Set
from functools import lru_cache
from importlib.metadata import distributions
from pathlib import Path

from deploy.package.import_graph import Closure, Tree, absolute, for_type_checkers

_LOADS_BY_NAME = re.compile(rb"\b(__import__|import_module|iter_modules|walk_packages)\s*\(")
_STATEMENTS = ("body", "orelse", "handlers", "finalbody", "cases")
_OF_TOOLS = frozenset({"console_scripts", "distutils.setup_keywords", "gui_scripts", "pytest11"})
"""Groups of entry points that only a shell, a build or a test run looks up."""


def top_names(site: Path) -> frozenset[str]:
    """The top-level names that can be imported from the libraries in `site`."""
    return frozenset(path.name.partition(".")[0] for path in site.iterdir())


def drop_unreached(site: Path, reached: Closure, locked: Set[str]) -> None:
    """Delete the modules in `site` that nothing reaches from what `reached` names, and from the entry points. `locked`
    are the top names of all locked libraries, those included that are not shipped."""
    tops = {path.name.removesuffix(".py"): path for path in site.iterdir() if path.is_dir() or path.suffix == ".py"}
    tree = Tree({name: path.with_suffix("") if path.is_file() else path for name, path in tops.items()})
    shaken = _ShakenModules(site, tree, sys.stdlib_module_names | locked)
    # Entry points are looked up by name at run time: OpenTelemetry's context, for one.
    entry_points = (point for library in distributions(path=[str(site)]) for point in library.entry_points)
    for module in [*reached.libraries, *(point.module for point in entry_points if point.group not in _OF_TOOLS)]:
        shaken.want(module)
    shaken.follow()
    for path in [path for path in site.rglob("*.py") if path not in shaken.files]:
        path.unlink()


class _ShakenModules:
    """The modules to keep, in `files`."""

    def __init__(self, site: Path, tree: Tree, known: Set[str]) -> None:
        self.files: set[Path] = set()
        self._site, self._tree, self._known, self._waiting = site, tree, known, deque[tuple[str, Path]]()

    def want(self, module: str) -> None:
        """Keep a module, or the module of a name, and the packages above it, which Python runs first."""
        parts = module.split(".")
        for name in (".".join(parts[:count]) for count in range(1, len(parts) + 1)):
            path = self._tree.file_of(name)
            if path is not None and path not in self.files and _starts_with(path.read_bytes()) <= self._known:
                self.files.add(path)
                self._waiting.append((name, path))

    def follow(self) -> None:
        """Keep what the kept modules can import, and so on."""
        while self._waiting:
            module, path = self._waiting.popleft()
            source = path.read_bytes()
            with _reading:
                names = _imports(module if path.name == "__init__.py" else module.rpartition(".")[0], source)
            for name in names:
                self.want(name)
            if _LOADS_BY_NAME.search(source) or any(path.parent.glob("*.so")):
                self._want_all(path)

    def _want_all(self, path: Path) -> None:
        """Keep all of the outermost package of `path`; nothing more for a module outside of packages."""
        package = None
        for above in path.parents:
            if above == self._site:
                break
            if (above / "__init__.py").exists():
                package = above
        for source in package.rglob("*.py") if package else ():
            self.want(".".join(source.relative_to(self._site).with_suffix("").parts).removesuffix(".__init__"))


@lru_cache(maxsize=4096)
def _starts_with(source: bytes) -> frozenset[str]:
    """The top-level names that a module imports in any case: outside of every function, condition and try."""
    imports = [node for node in ast.parse(source).body if isinstance(node, (ast.Import, ast.ImportFrom))]
    full = (name for node in imports for name in _imported_names(node, "") if not getattr(node, "level", 0))
    return frozenset(name.partition(".")[0] for name in full)


def _imported_names(node: ast.Import | ast.ImportFrom, package: str) -> list[str]:
    """The names in an import statement of a module of `package`: modules, and names that may be modules."""
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    module = absolute(node, package)
    return [f"{module}.{alias.name}" for alias in node.names]


_reading = threading.Lock()
"""Services are packaged in parallel and share most libraries: the second finds in the cache what the first has read."""


@lru_cache(maxsize=4096)
def _imports(package: str, source: bytes) -> tuple[str, ...]:
    """Everything that a module of `package` can import, in functions too, but not for type checkers."""
    names, waiting = list[str](), list[ast.AST]([ast.parse(source)])
    while waiting:
        node = waiting.pop()
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            names += _imported_names(node, package)
        elif isinstance(node, ast.If) and for_type_checkers(node):
            waiting += node.orelse
        else:
            waiting += [child for field in _STATEMENTS for child in getattr(node, field, [])]
    return tuple(names)
