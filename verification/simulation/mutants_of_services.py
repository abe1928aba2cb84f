"""Planted bugs in services, each of which the simulation must find."""

import itertools
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

import chassis.tenants.members
import services.analytics.usecases
import services.audit.repository
import services.identity.repository
import services.notify.usecases.mailing as mailing
import services.tenancy.repository
from chassis.messaging.dispatch import Dispatcher
from chassis.storage.table import Anything, Expect
from chassis.work.repository import Aggregate, Repository
from chassis.work.scope import OrgScope
from chassis.work.unit_of_work import UnitOfWork
from contracts.common import Plan
from services.analytics.model import task_created
from services.analytics.repository import FiguresRepository
from services.notify.model import Delivery as Owed
from services.notify.ports import Composer, Letter, Mailer
from services.tasks.model import Import, PlannedTask, Task
from services.tenancy.repository import Seats

Patch = pytest.MonkeyPatch
Settle = Callable[[Dispatcher], Callable[[Any], Awaitable[None]]]
_fresh = itertools.count(1)


def any_version_projected(patch: Patch) -> None:
    """An older state of a membership overwrites a newer one."""
    _project_anything(patch, chassis.tenants.members.Members)


def any_version_in_tokens(patch: Patch) -> None:
    """The same in identity."""
    _project_anything(patch, services.identity.repository.Memberships)


def _project_anything(patch: Patch, repository: type[Repository[Any]]) -> None:
    async def project(self: Repository[Any], aggregate: Aggregate) -> None:
        unit = self.scope.unit_of_work(claimed=False)
        unit.put(self.key(aggregate.id), aggregate, expect=Anything(), lists=self.lists(aggregate))
        await unit.commit()

    patch.setattr(repository, "project", project)


def registered_again(patch: Patch) -> None:
    """A repeated confirmation registers its user once more."""
    _unconditional(patch, services.identity.repository.Profiles)


def sealers_overwrite(patch: Patch) -> None:
    """Sealers do not look whether another one was faster."""
    for each in ("Heads", "Blocks", "Records"):
        _unconditional(patch, getattr(services.audit.repository, each))


def _unconditional(patch: Patch, repository: type[Repository[Any]]) -> None:
    real = Repository._put

    def put(self: Repository[Any], unit: UnitOfWork, aggregate: Aggregate, expect: Expect, on_conflict: Any) -> Any:
        return real(self, unit, aggregate, Anything(), on_conflict)

    patch.setattr(repository, "_put", put)


def seats_unlimited(patch: Patch) -> None:
    """Seats are counted, but the limit is not a condition of the transaction."""

    def take(self: Seats, unit: UnitOfWork, _plan: Plan) -> None:
        unit.add(self._key, {"seats": 1})

    patch.setattr(Seats, "take", take)


def seat_freed_apart(patch: Patch) -> None:
    """The seat of a former member is freed in a transaction of its own, which a crash can prevent."""
    real = UnitOfWork.commit

    def free(self: Seats, unit: UnitOfWork) -> None:
        unit._freed = self._key  # type: ignore[attr-defined]

    async def commit(self: UnitOfWork) -> bool:
        done = await real(self)
        if key := getattr(self, "_freed", None):
            apart = UnitOfWork(self._context, self._actor, self._cause, self._org_id, claimed=False)
            apart.add(key, {"seats": -1})
            await real(apart)
        return done

    patch.setattr(Seats, "free", free)
    patch.setattr(UnitOfWork, "commit", commit)


def marked_before_sent(patch: Patch) -> None:
    """An e-mail is marked as sent before the mail service has it."""

    async def send(scope: OrgScope, delivery: Owed, letter: Letter | None) -> None:
        if letter is None:
            return await mailing._settle(scope, delivery.failed(mailing.GONE))
        await mailing._settle(scope, delivery.sent(scope.now()))
        return await scope.port(Mailer).send(scope.port(Composer).compose(delivery.id, delivery.recipient, letter))

    patch.setattr(mailing, "_send", send)


def imported_under_fresh_ids(patch: Patch) -> None:
    """A repeated import gives its tasks new ids."""
    real = Import.task_of

    def task_of(self: Import, row: PlannedTask, now: Any) -> Task:
        return real(self, row, now).model_copy(update={"id": f"task_fresh{next(_fresh)}"})

    patch.setattr(Import, "task_of", task_of)


def one_unclaimed_consumer(patch: Patch) -> None:
    """One use case of one consumer does not claim its event."""

    async def count_created(scope: OrgScope, project_id: str, status: Any, day: Any) -> None:
        unit = scope.unit_of_work(claimed=False)
        change = task_created(status, day)
        FiguresRepository(scope).add_to_project(unit, project_id, change)
        await unit.commit()

    patch.setattr(services.analytics.usecases, "count_created", count_created)
