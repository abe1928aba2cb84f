"""Which installed libraries some imports need: those that have the modules, and all that these require."""

import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from importlib.metadata import Distribution, distributions
from pathlib import Path, PurePath

from deploy.package.import_graph import Closure
from deploy.stage.errors import PackagingError

_REQUIREMENT = re.compile(r"([A-Za-z0-9._-]+)\s*(?:\[([^]]*)\])?")
_FOR_EXTRA = re.compile(r"""\bextra\s*==\s*["']([^"']+)["']""")
_CODE = frozenset({".py", ".so", ".pyd"})


def keep_needed(
    site: Path, reached: Closure, lock: str, *, declared: Iterable[str] = (), provided: Collection[str] = ()
) -> None:
    """Delete every file in `site`, where all libraries of a lock are installed, that belongs to none that is needed, or
    to one of the libraries that are `provided` where the code will run. `declared` are the requirements that the lock
    was made from ("pyjwt[crypto]>=2"), for they say which extras were asked for.

    Raises PackagingError for an import that no library meets; `lock` is what the message calls the lock.
    """
    installed = {_canonical(one.metadata["Name"]): one for one in distributions(path=[str(site)])}
    extras: defaultdict[str, frozenset[str]] = defaultdict(frozenset)
    for name, asked in map(_requirement, declared):
        extras[name] |= asked
    needed = _closure(_providers(installed, reached, lock), extras, installed) - set(provided)
    kept = {site / file for name in needed for file in installed[name].files or ()}
    for path in [path for path in site.rglob("*") if path.is_file() and path not in kept]:
        path.unlink()


def _providers(installed: dict[str, Distribution], reached: Closure, lock: str) -> set[str]:
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


def _closure(names: set[str], extras: Mapping[str, frozenset[str]], installed: dict[str, Distribution]) -> set[str]:
    """With what they require, for the extras that somebody asks for. Other markers need no second look: what is not for
    this Python and platform was not installed."""
    found = {name: extras.get(name, frozenset()) for name in names}
    waiting = list(found)
    while waiting:
        name = waiting.pop()
        for requirement in installed[name].requires or ():
            only_for = {_canonical(one) for one in _FOR_EXTRA.findall(requirement)}
            if only_for and not only_for & found[name]:
                continue
            other, asked = _requirement(requirement)
            if other in installed and (other not in found or asked - found[other]):
                found[other] = found.get(other, frozenset()) | asked
                waiting.append(other)
    return set(found)


def _requirement(text: str) -> tuple[str, frozenset[str]]:
    """The library that a requirement names, and the extras of it."""
    match = _REQUIREMENT.match(text)
    if match is None:
        return "", frozenset()
    return _canonical(match[1]), frozenset(
        _canonical(one.strip()) for one in (match[2] or "").split(",") if one.strip()
    )


def _module(file: PurePath) -> str:
    stem = file.name.partition(".")[0]
    return ".".join(file.parent.parts if stem == "__init__" else (*file.parent.parts, stem))


def _canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
