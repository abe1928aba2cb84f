"""Attacks on storage: every method of every repository, in the attacker's scope, with the victim's ids and rows."""

import inspect
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from importlib import import_module
from itertools import islice, product
from pathlib import Path
from types import FunctionType, ModuleType, UnionType
from typing import Any, TypeVar, Union, get_args, get_origin

from chassis.errors import TenfoldError
from chassis.storage.keys import Key, ListEntry
from chassis.tenants import members
from chassis.work.repository import Aggregate, Listing, PageRequest
from chassis.work.scope import Scope
from chassis.work.unit_of_work import UnitOfWork
from verification.isolation.judge import OWNER, Report, changes, leaked_secrets, reach_of, secrets, victims_orgs
from verification.isolation.people import MARKER
from verification.isolation.samples import Uncovered
from verification.isolation.world import Outcome, World, capture_logs

MAX_CALLS = 60
"""At most so many combinations of arguments are tried for one method."""
PLAIN: dict[object, list[object]] = {int: [1], bool: [True, False], bytes: [b"wicked"], PageRequest: [PageRequest()]}


@dataclass(frozen=True)
class Method:
    """A public method of a repository, or a function in its module that takes a scope."""

    name: str
    function: FunctionType
    repository: type | None


def repository_modules(service: str) -> list[ModuleType]:
    """Every module `repository` of a service, whichever feature it belongs to."""
    root = Path(str(import_module(f"services.{service}").__file__)).parent
    paths = sorted(path.relative_to(root).with_suffix("") for path in root.rglob("repository.py"))
    return [import_module(".".join(("services", service, *path.parts))) for path in paths]


class StorageAttacks:
    """All attacks on the repositories of one world."""

    def __init__(self, world: World, report: Report) -> None:
        self._world, self._report = world, report
        world.restore()
        self._secrets = secrets(world)
        self._reach = reach_of(world, world.mallory.id)
        self._modules: list[ModuleType] = repository_modules(world.name)
        if any(each.endswith("members:subscription") for each in world.sut.service.subscriptions):
            self._modules.append(members)
        self._victims_owners = victims_orgs(world) | {world.vera.id}
        self._ids = self._foreign_ids()

    async def run(self) -> None:
        for module in self._modules:
            for method in methods_of(module):
                self._report.methods += 1
                try:
                    await self._attack_method(method, module)
                except Uncovered as gap:
                    self._report.uncovered.append(str(gap))

    async def _attack_method(self, method: Method, module: ModuleType) -> None:
        tried = 0
        for arguments in self._arguments(method, module):
            for scope in self._scopes(method):
                outcome, sent = await self._call(method, scope, arguments)
                leaks = [*leaked_secrets(self._secrets, outcome, sent), *self._reach.strays(outcome.calls)]
                leaks += changes(self._world, self._reach)
                leaks += [f"names the key {stray}" for stray in outcome.headers.values()]
                self._report.count(method.name, f"{type(scope).__name__} {sent[:80]}", leaks)
                tried += 1
        if not tried:
            raise Uncovered(
                f"{method.name}: no arguments to call it with; add them to world.arguments in the service's seed"
            )

    # --- arguments

    def _scopes(self, method: Method) -> list[Scope]:
        """The attacker's scopes of the type that a method takes; both for one that takes any scope."""
        sut, world = self._world.sut, self._world
        in_org = sut.scope(world.mallory.id, org_id=world.attacker_org)
        own = sut.user_scope(world.mallory.id, world.attacker_org)
        wanted = inspect.signature(method.repository or method.function, eval_str=True).parameters["scope"].annotation
        return [scope for scope in (in_org, own) if isinstance(scope, wanted)]

    def _arguments(self, method: Method, module: ModuleType) -> Iterator[dict[str, Any]]:
        parameters = list(inspect.signature(method.function, eval_str=True).parameters.values())
        wanted = [
            parameter
            for parameter in parameters
            if parameter.name not in {"self", "scope"}
            and "on_conflict" not in parameter.name  # an error to raise does not refer to anything
            and parameter.kind is not inspect.Parameter.VAR_KEYWORD
        ]
        choices = [self._choices(parameter, method, module) for parameter in wanted]
        for values in islice(product(*choices), MAX_CALLS):
            yield {parameter.name: value for parameter, value in zip(wanted, values, strict=True)}

    def _choices(self, parameter: inspect.Parameter, method: Method, module: ModuleType) -> list[Any]:
        wanted = parameter.annotation
        if get_origin(wanted) in {Union, UnionType}:
            wanted = next(each for each in get_args(wanted) if each is not type(None))
        for values in (self._world.arguments, PLAIN):
            for key in (parameter.name, wanted):
                if key in values:
                    return values[key]
        if wanted is UnitOfWork:
            return [UnitOfWork]
        if wanted is str:
            return self._ids
        if wanted is Listing:
            return [each for each in vars(module).values() if isinstance(each, Listing)] or [members.MEMBERS]
        if isinstance(wanted, type) and issubclass(wanted, Enum):
            return list(wanted)
        model = getattr(method.repository, "model", None) if isinstance(wanted, TypeVar) else wanted
        if isinstance(model, type) and issubclass(model, Aggregate):
            return self._victim_rows(model)
        raise Uncovered(f"{method.name}: add a value for {parameter.name} ({wanted}) to world.arguments in the seed")

    def _victim_rows(self, model: type[Aggregate]) -> list[Aggregate]:
        """The first rows of the victim that can be read as `model`."""
        rows: list[Aggregate] = []
        for key, item in self._world.table.items.items():
            if self._is_victims(key):
                try:
                    rows.append(model.model_validate(item))
                except ValueError:
                    continue  # a row of another kind
        return rows[:3]

    def _foreign_ids(self) -> list[str]:
        """The last part of each key of the victim, and every id in the victim's rows."""
        ids = {secret for secret in self._secrets if secret != MARKER}
        for key in self._world.table.items:
            if self._is_victims(key):
                ids |= {key.pk.split("#")[-1], key.sk.split("#")[-1]}
        return sorted(ids)

    def _is_victims(self, key: Key) -> bool:
        owner = OWNER.match(key.pk)
        return owner is not None and owner[2] in self._victims_owners

    # --- calls

    async def _call(self, method: Method, scope: Scope, arguments: dict[str, Any]) -> tuple[Outcome, str]:
        world = self._world
        world.restore()
        start, unit = len(world.table.calls), scope.unit_of_work(claimed=False)
        passed = {name: unit if value is UnitOfWork else value for name, value in arguments.items()}
        sent = repr({name: value for name, value in arguments.items() if value is not UnitOfWork})
        with capture_logs() as lines:
            try:
                target = method.repository(scope) if method.repository else None
                result = await _resolve_result(method.function(target or scope, **passed))
                if UnitOfWork in arguments.values():
                    await unit.commit()
                answer = repr(result)
            except TenfoldError as error:
                result, answer = None, repr(error)
        strays = [
            f"{key}"
            for key in _keys_in(result)
            if not self._reach.owns(key.pk) and not (isinstance(key, ListEntry) and key.pk.startswith("USER#"))
        ]
        headers = {"strays": "\n".join(strays)} if strays else {}
        return Outcome(200, answer, headers, tuple(world.table.calls[start:]), "\n".join(lines)), sent


def methods_of(module: ModuleType) -> list[Method]:
    """Public methods of every class that is made with a scope, also inherited ones, and functions that take a scope."""
    methods = []
    for name, each in vars(module).items():
        if getattr(each, "__module__", "") != module.__name__ or name.startswith("_"):
            continue
        if isinstance(each, type) and _takes_scope(each):
            functions = inspect.getmembers(each, inspect.isfunction)
            methods += [
                Method(f"{name}.{method}", function, each) for method, function in functions if method[0] != "_"
            ]
        elif isinstance(each, FunctionType) and _takes_scope(each):
            methods.append(Method(name, each, None))
    return methods


def _takes_scope(each: type | FunctionType) -> bool:
    try:
        return "scope" in inspect.signature(each).parameters
    except ValueError:  # raised for a class that is implemented in C
        return False


async def _resolve_result(value: Any) -> Any:
    if inspect.isawaitable(value):
        return await value
    if isinstance(value, AsyncIterator):
        return [each async for each in value]
    return value


def _keys_in(result: Any) -> Iterator[Key | ListEntry]:
    match result:
        case Key() | ListEntry():
            yield result
        case Sequence() if not isinstance(result, str | bytes):
            for each in result:
                yield from _keys_in(each)
