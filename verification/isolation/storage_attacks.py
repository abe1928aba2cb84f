"""Every method of every repository, in the attacker's scope, with what is the victim's."""

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
from verification.isolation.judge import OWNER, Report, changes, reach_of, secrets, shown, victims_orgs
from verification.isolation.people import MARKER
from verification.isolation.samples import Uncovered
from verification.isolation.world import Outcome, World, watched

AT_MOST = 60
"""Combinations of arguments that one method is called with."""
PLAIN: dict[object, list[object]] = {int: [1], bool: [True, False], bytes: [b"wicked"], PageRequest: [PageRequest()]}


@dataclass(frozen=True)
class Method:
    """A public method of a repository, or a function beside it that takes a scope."""

    name: str
    function: FunctionType
    repository: type | None


def _repositories(service: str) -> list[ModuleType]:
    """Every module `repository` of a service, whichever feature it belongs to."""
    root = Path(str(import_module(f"services.{service}").__file__)).parent
    found = sorted(path.relative_to(root).with_suffix("") for path in root.rglob("repository.py"))
    return [import_module(".".join(("services", service, *path.parts))) for path in found]


class StorageAttacks:
    """All attacks on the repositories of one world."""

    def __init__(self, world: World, report: Report) -> None:
        self._world, self._report = world, report
        world.restore()
        self._secrets = secrets(world)
        self._reach = reach_of(world, world.mallory.id)
        self._modules: list[ModuleType] = _repositories(world.name)
        if any(each.endswith("members:subscription") for each in world.sut.service.subscriptions):
            self._modules.append(members)
        self._victims_owners = victims_orgs(world) | {world.vera.id}
        self._ids = self._foreign_ids()

    async def run(self) -> None:
        for module in self._modules:
            for method in methods_of(module):
                self._report.methods += 1
                try:
                    await self._attack(method, module)
                except Uncovered as gap:
                    self._report.uncovered.append(str(gap))

    async def _attack(self, method: Method, module: ModuleType) -> None:
        tried = 0
        for arguments in self._arguments(method, module):
            for scope in self._scopes(method):
                outcome, sent = await self._called(method, scope, arguments)
                self._report.count(method.name, f"{type(scope).__name__} {sent[:80]}", self._judged(outcome, sent))
                tried += 1
        if not tried:
            raise Uncovered(f"{method.name}: nothing to call it with; add it to world.arguments in the service's seed")

    # --- what it is called with

    def _scopes(self, method: Method) -> list[Scope]:
        """The attacker's. What takes any scope is tried with both."""
        sut, world = self._world.sut, self._world
        in_org = sut.scope(world.mallory.id, org_id=world.attacker_org)
        own = sut.user_scope(world.mallory.id, world.attacker_org)
        wanted = inspect.signature(method.repository or method.function, eval_str=True).parameters["scope"].annotation
        return [scope for scope in (in_org, own) if isinstance(scope, wanted)]

    def _arguments(self, method: Method, module: ModuleType) -> Iterator[dict[str, Any]]:
        parameters = list(inspect.signature(method.function, eval_str=True).parameters.values())
        wanted = [each for each in parameters if each.name not in {"self", "scope"} and _is_named(each)]
        choices = [self._choices(each, method, module) for each in wanted]
        for chosen in islice(product(*choices), AT_MOST):
            yield {each.name: value for each, value in zip(wanted, chosen, strict=True)}

    def _choices(self, parameter: inspect.Parameter, method: Method, module: ModuleType) -> list[Any]:
        wanted = parameter.annotation
        if get_origin(wanted) in {Union, UnionType}:
            wanted = next(each for each in get_args(wanted) if each is not type(None))
        for known in (self._world.arguments, PLAIN):
            for key in (parameter.name, wanted):
                if key in known:
                    return known[key]
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
            return self._victims(model)
        raise Uncovered(f"{method.name}: add a value for {parameter.name} ({wanted}) to world.arguments in the seed")

    def _victims(self, model: type[Aggregate]) -> list[Aggregate]:
        """The victim's rows that can be read as `model`."""
        found: list[Aggregate] = []
        for key, item in self._world.table.items.items():
            if self._is_theirs(key):
                try:
                    found.append(model.model_validate(item))
                except ValueError:
                    continue  # a row of another kind
        return found[:3]

    def _foreign_ids(self) -> list[str]:
        """Every word of the victim's keys, and every id in their rows."""
        ids = {secret for secret in self._secrets if secret != MARKER}
        for key in self._world.table.items:
            if self._is_theirs(key):
                ids |= {key.pk.split("#")[-1], key.sk.split("#")[-1]}
        return sorted(ids)

    def _is_theirs(self, key: Key) -> bool:
        owner = OWNER.match(key.pk)
        return owner is not None and owner[2] in self._victims_owners

    # --- carrying it out

    async def _called(self, method: Method, scope: Scope, arguments: dict[str, Any]) -> tuple[Outcome, str]:
        world = self._world
        world.restore()
        start, unit = len(world.table.calls), scope.unit_of_work(claimed=False)
        given = {name: unit if value is UnitOfWork else value for name, value in arguments.items()}
        sent = repr({name: value for name, value in arguments.items() if value is not UnitOfWork})
        with watched() as lines:
            try:
                target = method.repository(scope) if method.repository else None
                found = await _settled(method.function(target or scope, **given))
                if UnitOfWork in arguments.values():
                    await unit.commit()
                answer = repr(found)
            except TenfoldError as error:
                found, answer = None, repr(error)
        strays = "\n".join(f"{place}" for place in _places_in(found) if not self._may_name(place))
        headers = {"strays": strays} if strays else {}
        return Outcome(200, answer, headers, tuple(world.table.calls[start:]), "\n".join(lines)), sent

    def _may_name(self, place: Key | ListEntry) -> bool:
        return self._reach.owns(place.pk) or (isinstance(place, ListEntry) and place.pk.startswith("USER#"))

    def _judged(self, outcome: Outcome, sent: str) -> Iterator[str]:
        yield from shown(self._secrets, outcome, sent)
        yield from self._reach.strays(outcome.calls)
        yield from changes(self._world, self._reach)
        yield from (f"names the key {stray}" for stray in outcome.headers.values())


def methods_of(module: ModuleType) -> list[Method]:
    """Of every class there that is made with a scope, inherited ones too, and every function that takes one."""
    found = []
    for name, each in vars(module).items():
        if getattr(each, "__module__", "") != module.__name__ or name.startswith("_"):
            continue
        if isinstance(each, type) and _takes_scope(each):
            functions = inspect.getmembers(each, inspect.isfunction)
            found += [Method(f"{name}.{of}", function, each) for of, function in functions if not of.startswith("_")]
        elif isinstance(each, FunctionType) and _takes_scope(each):
            found.append(Method(name, each, None))
    return found


def _takes_scope(each: type | FunctionType) -> bool:
    try:
        return "scope" in inspect.signature(each).parameters
    except ValueError:  # of a class that is made in C
        return False


def _is_named(parameter: inspect.Parameter) -> bool:
    """Errors to raise are no reference to anything."""
    return "on_conflict" not in parameter.name and parameter.kind is not inspect.Parameter.VAR_KEYWORD


async def _settled(value: Any) -> Any:
    if inspect.isawaitable(value):
        return await value
    if isinstance(value, AsyncIterator):
        return [each async for each in value]
    return value


def _places_in(found: Any) -> Iterator[Key | ListEntry]:
    match found:
        case Key() | ListEntry():
            yield found
        case Sequence() if not isinstance(found, str | bytes):
            for each in found:
                yield from _places_in(each)
