"""`python -m tests.architecture.anatomy [SERVICE ...]`: where a service's folder deviates from the one anatomy.

A service is `service.py` and a folder for each feature; every feature has the same file names, and what each file may
do is the same in all of them. EXTRA lists files with other names, each with its reason.
"""

import ast
import inspect
import sys
import typing
from collections.abc import Iterator
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from importlib import import_module
from pathlib import Path
from typing import Any

from fastapi import APIRouter
from pydantic import BaseModel

from chassis.work.repository import Aggregate, Repository
from deploy.services import ROOT, service_names

SERVICE_FILES = {"__init__", "api", "errors", "permissions", "ports", "service", "settings", "stack"}
FEATURE_FILES = {"__init__", "api", "consumers", "model", "reads", "repository", "schemas", "usecases"}
USECASES, ADAPTERS = "usecases", "adapters"
NEEDED = {"README.md", "pyproject.toml", "requirements.lock", "__init__.py", "service.py", "permissions.py", "api.py"}

EXTRA: dict[str, str] = {
    "tasks/imports/csv_import.py": "the file format of imports; with it, model.py would be too long to read",
    "identity/memberships/claims.py": "imported by the token trigger, whose cold start must not load an aggregate",
}
"""Modules beside the standard names: path below services/, and why no standard name holds it."""


@dataclass(frozen=True, order=True)
class Deviation:
    path: str
    what: str

    def __str__(self) -> str:
        return f"{self.path}: {self.what}"


@dataclass(frozen=True)
class Module:
    """One file of a service. `feature` is the folder that it belongs to; None beside them, and for adapters."""

    root: Path
    path: Path

    @property
    def name(self) -> str:
        return self.path.as_posix()

    @property
    def service(self) -> str:
        return self.path.parts[0]

    @property
    def feature(self) -> str | None:
        return self.path.parts[1] if len(self.path.parts) > 2 and self.path.parts[1] != ADAPTERS else None

    @property
    def role(self) -> str:
        """`usecases` for each file of that package, else the file's own name."""
        return USECASES if USECASES in self.path.parts[:-1] else self.path.stem

    @property
    def dotted(self) -> str:
        return ".".join(("services", *self.path.with_suffix("").parts)).removesuffix(".__init__")

    def tree(self) -> ast.Module:
        return ast.parse((self.root / "services" / self.path).read_text(encoding="utf-8"), self.name)

    def imported(self) -> Iterator[tuple[str, str, int]]:
        """`(module, name, line)` of each `from module import name`, also below TYPE_CHECKING."""
        for node in ast.walk(self.tree()):
            if isinstance(node, ast.ImportFrom) and node.module:
                yield from ((node.module, each.name, node.lineno) for each in node.names)
            elif isinstance(node, ast.Import):
                yield from ((each.name, "", node.lineno) for each in node.names)


def deviations(service: str, root: Path = ROOT) -> list[Deviation]:
    """Every deviation of a service's folder from the anatomy."""
    folder = root / "services" / service
    modules = [Module(root, path.relative_to(root / "services")) for path in sorted(folder.rglob("*.py"))]
    found = [Deviation(service, f"has no {name}") for name in sorted(NEEDED) if not (folder / name).exists()]
    found += _names(modules)
    for module in modules:
        found += [*_root_router(module), *_usecases_as_modules(module), *_events_in_the_model(module), *_paging(module)]
    found += _one_direction(service, modules)
    return sorted(set(found))


def _names(modules: list[Module]) -> Iterator[Deviation]:
    for module in modules:
        below = module.path.parts[1:]
        if module.name in EXTRA or below[0] == ADAPTERS:
            continue
        if len(below) == 1 and module.path.stem not in SERVICE_FILES:
            yield Deviation(module.name, "belongs in a feature's folder, or into adapters/")
        elif len(below) == 2 and module.path.stem not in FEATURE_FILES:
            yield Deviation(module.name, f"is not one of a feature's files: {', '.join(sorted(FEATURE_FILES))}")
        elif len(below) > 2 and below[1] != USECASES:
            yield Deviation(module.name, "lies too deep; a feature has no folder but usecases/")
    features = {module.feature for module in modules if module.feature}
    for feature in sorted(features):
        roles = {module.role for module in modules if module.feature == feature}
        if "api" in roles and "schemas" not in roles:
            yield Deviation(f"{modules[0].service}/{feature}", "has an api.py, but no schemas.py with its views")


def _root_router(module: Module) -> Iterator[Deviation]:
    """The service's own api.py combines the features' routers, and does nothing else."""
    if module.path.parts[1:] != ("api.py",):
        return
    for node in module.tree().body:
        is_import = isinstance(node, ast.Import | ast.ImportFrom)
        is_docstring = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        is_combination = isinstance(node, ast.Assign) and ast.unparse(node).startswith("router = combine_routers(")
        if not (is_import or is_docstring or is_combination):
            yield Deviation(module.name, f"line {node.lineno}: combines the features' routers, and does nothing else")


def _usecases_as_modules(module: Module) -> Iterator[Deviation]:
    if module.role not in {"api", "consumers"}:
        return
    for imported, name, line in module.imported():
        parts = imported.split(".")
        inside = USECASES in parts and name and not _is_module(module.root, imported, name)
        if inside:
            yield Deviation(module.name, f"line {line}: import use cases as modules, not {name} by itself")


def _is_module(root: Path, package: str, name: str) -> bool:
    folder = root.joinpath(*package.split("."))
    return (folder / f"{name}.py").exists() or (folder / name).is_dir()


def _events_in_the_model(module: Module) -> Iterator[Deviation]:
    """Events are made by the aggregate that they are about: only model.py calls a class of its contracts."""
    if module.feature is None or module.role == "model":
        return
    events = f"contracts.{module.service}"
    aliases = {name for imported, name, _ in module.imported() if imported == events}
    direct = {name for imported, name, _ in module.imported() if imported.startswith(f"{events}.")}
    names = {alias: alias for alias in aliases}
    for node in ast.walk(module.tree()):
        if isinstance(node, ast.ImportFrom) and node.module == events:
            names = {each.asname or each.name: each.name for each in node.names}
    for node in ast.walk(module.tree()):
        if not isinstance(node, ast.Call):
            continue
        called = node.func
        by_module = (
            isinstance(called, ast.Attribute) and isinstance(called.value, ast.Name) and called.value.id in names
        )
        by_name = isinstance(called, ast.Name) and called.id in direct
        if by_module or by_name:
            what = ast.unparse(called)
            yield Deviation(
                module.name, f"line {node.lineno}: {what} is made in model.py, by a method of its aggregate"
            )


def _paging(module: Module) -> Iterator[Deviation]:
    for node in ast.walk(module.tree()):
        if isinstance(node, ast.Subscript) and "Annotated[PageRequest" in ast.unparse(node):
            yield Deviation(module.name, f"line {node.lineno}: use chassis.http.schemas.Paged")


def _one_direction(service: str, modules: list[Module]) -> Iterator[Deviation]:
    """Features of a service may use each other, but not in a circle, TYPE_CHECKING or not."""
    graph: dict[str, set[str]] = {}
    for module in modules:
        if module.feature is None:
            continue
        uses = graph.setdefault(module.feature, set())
        for imported, name, _ in module.imported():
            parts = [*imported.split("."), name]
            if parts[:2] == ["services", service] and len(parts) > 2:
                uses.add(parts[2])
    features = set(graph)
    try:
        TopologicalSorter({feature: (uses & features) - {feature} for feature, uses in graph.items()}).prepare()
    except CycleError as error:
        yield Deviation(service, f"features import each other in a circle: {' -> '.join(error.args[1])}")


# --- types that routes return, and names of repositories, read from the loaded classes


def loaded_deviations(service: str, router: APIRouter) -> list[Deviation]:
    """Routes that return an aggregate, or a view outside of schemas.py; repositories with other names."""
    found: list[Deviation] = []
    for route in router.routes:
        endpoint = getattr(route, "endpoint", None)
        if endpoint is None:
            found.append(Deviation(service, f"{route!r} is not a route; use chassis.http.route.combine_routers"))
            continue
        returned = typing.get_type_hints(inspect.unwrap(endpoint)).get("return")
        for model in models_of(returned):
            name = f"{model.__module__}.{model.__qualname__}"
            if issubclass(model, Aggregate):
                found.append(Deviation(service, f"{getattr(route, 'path', route)} returns the aggregate {name}"))
        for model in top_models_of(returned):
            if model.__module__.startswith("services.") and not model.__module__.endswith(".schemas"):
                name = f"{model.__module__}.{model.__qualname__}"
                found.append(Deviation(service, f"{getattr(route, 'path', route)}: move the view {name} to schemas.py"))
    found += [
        Deviation(service, f"{kind.__module__}.{kind.__name__}: its name ends in Repository")
        for kind in _subclasses(Repository)
        if kind.__module__.startswith(f"services.{service}.") and not kind.__name__.endswith("Repository")
    ]
    return sorted(set(found))


def top_models_of(annotation: Any) -> Iterator[type[BaseModel]]:
    """Models that an annotation names directly; for a page, those of its items."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        generic = annotation.__pydantic_generic_metadata__
        if generic["origin"] is None:
            yield annotation
        for inner in generic["args"]:
            yield from top_models_of(inner)
    for inner in typing.get_args(annotation):
        yield from top_models_of(inner)


def models_of(annotation: Any, seen: set[Any] | None = None) -> Iterator[type[BaseModel]]:
    """All models that an answer of this type can contain, at any depth."""
    seen = set() if seen is None else seen
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        if annotation in seen:
            return
        seen.add(annotation)
        yield annotation
        for field in annotation.model_fields.values():
            yield from models_of(field.annotation, seen)
    for inner in typing.get_args(annotation):
        yield from models_of(inner, seen)


def _subclasses(kind: type) -> Iterator[type]:
    children: list[type] = kind.__subclasses__()
    for child in children:
        yield child
        yield from _subclasses(child)


def main(arguments: list[str]) -> int:
    found: list[Deviation] = []
    for name in arguments or service_names():
        declared = import_module(f"services.{name}.service").service
        found += deviations(name) + loaded_deviations(name, declared.load_router())
    sys.stdout.writelines(f"{each}\n" for each in found)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
