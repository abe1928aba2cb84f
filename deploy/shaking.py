"""Of the libraries that a package needs, the modules that can be imported. A cold start unpacks each file, and most of
a library serves other users: of FastStream, the brokers that are not ours.

Read from the syntax trees, from the modules that our code imports on. What loads modules by computed names, or has
native code, which imports unseen, keeps its whole package; native code itself and data always stay.
"""

import ast
from collections import deque
from collections.abc import Iterator
from importlib.metadata import distributions
from pathlib import Path

from deploy.reach import Reach, Tree, read

_LOADERS = frozenset({"__import__", "import_module", "iter_modules", "walk_packages"})
_COMMANDS = frozenset({"console_scripts", "gui_scripts"})


def drop_unreached(site: Path, reached: Reach) -> None:
    """Delete the modules in `site` that nothing reaches from what `reached` names, and from the entry points."""
    tops = {path.name.removesuffix(".py"): path for path in site.iterdir() if path.is_dir() or path.suffix == ".py"}
    tree = Tree({name: path.with_suffix("") if path.is_file() else path for name, path in tops.items()})
    kept = _Shaken(site, tree)
    for module in [*reached.libraries, *_entry_points(site)]:
        kept.want(module)
    kept.follow()
    for path in [path for path in site.rglob("*.py") if path not in kept.files]:
        path.unlink()


def _entry_points(site: Path) -> Iterator[str]:
    """Found by name while they run: OpenTelemetry's context, for one."""
    for one in distributions(path=[str(site)]):
        yield from (point.module for point in one.entry_points if point.group not in _COMMANDS)


class _Shaken:
    def __init__(self, site: Path, tree: Tree) -> None:
        self.files: set[Path] = set()
        self._site, self._tree, self._waiting = site, tree, deque[tuple[str, Path]]()

    def want(self, module: str) -> None:
        """A module, or a name in one; with the packages above it, which Python runs first."""
        parts = module.split(".")
        for name in (".".join(parts[:count]) for count in range(1, len(parts) + 1)):
            path = self._tree.file_of(name)
            if path is not None and path not in self.files:
                self.files.add(path)
                self._waiting.append((name, path))

    def follow(self) -> None:
        while self._waiting:
            module, path = self._waiting.popleft()
            for one in read(module, path, self._tree)[0]:
                self.want(one.full)
            if _loads_by_name(path) or any(path.parent.glob("*.so")):
                self._want_all(path)

    def _want_all(self, path: Path) -> None:
        """All of the outermost package that `path` is in; nothing more for a module that stands alone."""
        package = None
        for above in path.parents:
            if above == self._site:
                break
            if (above / "__init__.py").exists():
                package = above
        for source in package.rglob("*.py") if package else ():
            self.want(".".join(source.relative_to(self._site).with_suffix("").parts).removesuffix(".__init__"))


def _loads_by_name(path: Path) -> bool:
    calls = (node.func for node in ast.walk(ast.parse(path.read_bytes())) if isinstance(node, ast.Call))
    names = {
        one.attr if isinstance(one, ast.Attribute) else one.id
        for one in calls
        if isinstance(one, ast.Attribute | ast.Name)
    }
    return not names.isdisjoint(_LOADERS)
