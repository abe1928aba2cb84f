"""Which installed libraries some imports need: those that have the modules, and all that these require."""

import re
from collections import defaultdict
from collections.abc import Collection
from importlib.metadata import Distribution, distributions
from pathlib import Path, PurePath

from deploy.errors import PackagingError
from deploy.reach import Reach

_NAME = re.compile(r"[A-Za-z0-9._-]+")
_CODE = frozenset({".py", ".so", ".pyd"})


def keep_needed(site: Path, reached: Reach, lock: str, provided: Collection[str] = ()) -> None:
    """Delete every file in `site`, where all libraries of a lock are installed, that belongs to none that is needed, or
    to one of the libraries that are `provided` where the code will run.

    Raises PackagingError for an import that no library meets; `lock` is what the message calls the lock.
    """
    installed = {_canonical(one.metadata["Name"]): one for one in distributions(path=[str(site)])}
    needed = _closure(_providers(installed, reached, lock), installed) - set(provided)
    kept = {site / file for name in needed for file in installed[name].files or ()}
    for path in [path for path in site.rglob("*") if path.is_file() and path not in kept]:
        path.unlink()


def _providers(installed: dict[str, Distribution], reached: Reach, lock: str) -> set[str]:
    code, folders = defaultdict(set), defaultdict(set)
    for name, distribution in installed.items():
        for file in distribution.files or ():
            if file.suffix in _CODE:
                code[_module(file)].add(name)
                for folder in file.parents:
                    folders[".".join(folder.parts)].add(name)
    found = set()
    for module, importer in sorted(reached.libraries.items()):
        above = [module.rsplit(".", count)[0] for count in range(module.count(".") + 1)]
        # A namespace package is of all who put something into it, but a module in it only of its own library.
        providers = next((code[one] for one in above if one in code), folders.get(module))
        if providers:
            found |= providers
        elif module not in reached.optional:
            raise PackagingError(
                f"{importer} imports {module}, which no library in {lock} has; "
                "add the library to the service's pyproject.toml and run `make lock`"
            )
    return found


def _closure(names: set[str], installed: dict[str, Distribution]) -> set[str]:
    """With what they require. Markers need no second look: what is not for this Python and platform was not installed.
    Extras get the benefit of the doubt, since a lock does not say who asked for them."""
    found, waiting = set(names), list(names)
    while waiting:
        for requirement in installed[waiting.pop()].requires or ():
            match = _NAME.match(requirement)
            name = _canonical(match[0]) if match else ""
            if name in installed and name not in found:
                found.add(name)
                waiting.append(name)
    return found


def _module(file: PurePath) -> str:
    stem = file.name.partition(".")[0]
    return ".".join(file.parent.parts if stem == "__init__" else (*file.parent.parts, stem))


def _canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
