"""The installed libraries that some imports need: those with the modules, and all that these require."""

import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from importlib.metadata import Distribution, distributions
from pathlib import Path

from deploy.errors import PackagingError
from deploy.package.import_graph import Closure

_REQUIREMENT = re.compile(r"([A-Za-z0-9._-]+)\s*(?:\[([^]]*)\])?")
_FOR_EXTRA = re.compile(r"""\bextra\s*==\s*["']([^"']+)["']""")
_CODE = frozenset({".py", ".so", ".pyd"})


def keep_needed(
    site: Path, reached: Closure, lock: str, *, declared: Iterable[str] = (), provided: Collection[str] = ()
) -> None:
    """Delete the files of libraries in `site` that are not needed. All libraries of a lock are installed there; not
    needed are those that `reached` does not lead to, and those that are `provided` where the code will run. `declared`
    are the requirements that the lock was made from ("pyjwt[crypto]>=2"), because they name the extras.

    Raises PackagingError for an import that no library has; `lock` is the name of the lock in the message.
    """
    installed = {_canonical(library.metadata["Name"]): library for library in distributions(path=[str(site)])}
    extras: defaultdict[str, frozenset[str]] = defaultdict(frozenset)
    for name, asked in map(_requirement, declared):
        extras[name] |= asked
    needed = _with_required(_providers(installed, reached, lock), extras, installed) - set(provided)
    kept = {site / file for name in needed for file in installed[name].files or ()}
    for path in [path for path in site.rglob("*") if path.is_file() and path not in kept]:
        path.unlink()


def _providers(installed: dict[str, Distribution], reached: Closure, lock: str) -> set[str]:
    code, folders = defaultdict(set), defaultdict(set)
    for name, distribution in installed.items():
        for file in distribution.files or ():
            if file.suffix in _CODE:
                stem = file.name.partition(".")[0]
                code[".".join(file.parent.parts if stem == "__init__" else (*file.parent.parts, stem))].add(name)
                for folder in file.parents:
                    folders[".".join(folder.parts)].add(name)
    needed = set()
    for module, importer in sorted(reached.libraries.items()):
        above = [module.rsplit(".", count)[0] for count in range(module.count(".") + 1)]
        # A namespace package belongs to every library that has a part of it, but a module in it to its own library.
        providers = next((code[parent] for parent in above if parent in code), folders.get(module))
        if providers:
            needed |= providers
        elif module not in reached.optional:
            raise PackagingError(
                f"{importer} imports {module}, which no library in {lock} has; "
                "add the library to the service's pyproject.toml and run `make lock`"
            )
    return needed


def _with_required(
    names: set[str], extras: Mapping[str, frozenset[str]], installed: dict[str, Distribution]
) -> set[str]:
    """The libraries and what they require, for the extras that somebody asks for. Other markers need no check: what is
    not for this Python and platform was not installed."""
    needed = {name: extras.get(name, frozenset()) for name in names}
    waiting = list(needed)
    while waiting:
        name = waiting.pop()
        for requirement in installed[name].requires or ():
            only_for = {_canonical(extra) for extra in _FOR_EXTRA.findall(requirement)}
            if only_for and not only_for & needed[name]:
                continue
            other, asked = _requirement(requirement)
            if other in installed and (other not in needed or asked - needed[other]):
                needed[other] = needed.get(other, frozenset()) | asked
                waiting.append(other)
    return set(needed)


def _requirement(text: str) -> tuple[str, frozenset[str]]:
    """The name of the library in a requirement, and its extras."""
    match = _REQUIREMENT.match(text)
    if match is None:
        return "", frozenset()
    extras = (extra.strip() for extra in (match[2] or "").split(","))
    return _canonical(match[1]), frozenset(_canonical(extra) for extra in extras if extra)


def _canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
