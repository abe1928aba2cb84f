"""Planted bugs in services, each of which the simulation must find."""

import itertools
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

import chassis.tenants.members
import services.analytics.figures.usecases
import services.identity.memberships.repository
import services.identity.profiles.repository
from chassis.messaging.dispatch import Dispatcher
from chassis.storage.table import Anything, Expect
from chassis.work.repository import Aggregate, Repository
from chassis.work.scope import OrgScope
from chassis.work.unit_of_work import UnitOfWork
from contracts.common import Plan
from services.analytics.figures.model import task_created
from services.analytics.figures.repository import FiguresRepository
from services.audit.chain.repository import BlockRepository, HeadRepository
from services.audit.records.repository import RecordRepository
from services.notify.mail import usecases as mail
from services.notify.mail.model import EmailDelivery
from services.notify.ports import Composer, EmailContent, Mailer
from services.tasks.imports.model import Import, PlannedTask
from services.tasks.tasks.model import Task
from services.tenancy.organizations.repository import SeatCounter

Patch = pytest.MonkeyPatch
Settle = Callable[[Dispatcher], Callable[[Any], Awaitable[None]]]
_fresh = itertools.count(1)


def any_version_projected(patch: Patch) -> None:
    """An older state of a membership overwrites a newer one."""
    _project_anything(patch, chassis.tenants.members.MemberRepository)


def any_version_in_tokens(patch: Patch) -> None:
    """The same in identity."""
    _project_anything(patch, services.identity.memberships.repository.MembershipRepository)


def _project_anything(patch: Patch, repository: type[Repository[Any]]) -> None:
    async def project(self: Repository[Any], aggregate: Aggregate) -> None:
        unit = self.scope.unit_of_work(claimed=False)
        unit.put(self.key(aggregate.id), aggregate, expect=Anything(), lists=self.lists(aggregate))
        await unit.commit()

    patch.setattr(repository, "project", project)


def registered_again(patch: Patch) -> None:
    """A repeated confirmation registers its user once more."""
    _unconditional(patch, services.identity.profiles.repository.ProfileRepository)


def sealers_overwrite(patch: Patch) -> None:
    """Sealers do not look whether another one was faster."""
    for repository in (HeadRepository, BlockRepository, RecordRepository):
        _unconditional(patch, repository)


def _unconditional(patch: Patch, repository: type[Repository[Any]]) -> None:
    real = Repository._put

    def put(self: Repository[Any], unit: UnitOfWork, aggregate: Aggregate, expect: Expect, on_conflict: Any) -> Any:
        return real(self, unit, aggregate, Anything(), on_conflict)

    patch.setattr(repository, "_put", put)


def seats_unlimited(patch: Patch) -> None:
    """Seats are counted, but the limit is not a condition of the transaction."""

    def reserve(self: SeatCounter, unit: UnitOfWork, _plan: Plan) -> None:
        unit.add(self._key, {"seats": 1})

    patch.setattr(SeatCounter, "reserve", reserve)


def seat_freed_apart(patch: Patch) -> None:
    """The seat of a former member is freed in a transaction of its own, which a crash can prevent."""
    real = UnitOfWork.commit

    def release(self: SeatCounter, unit: UnitOfWork) -> None:
        unit._freed = self._key  # type: ignore[attr-defined]

    async def commit(self: UnitOfWork) -> bool:
        done = await real(self)
        if key := getattr(self, "_freed", None):
            apart = UnitOfWork(self._context, self._actor, self._cause, self._org_id, claimed=False)
            apart.add(key, {"seats": -1})
            await real(apart)
        return done

    patch.setattr(SeatCounter, "release", release)
    patch.setattr(UnitOfWork, "commit", commit)


def marked_before_sent(patch: Patch) -> None:
    """An e-mail is marked as sent before the mail service has it."""

    async def send(scope: OrgScope, delivery: EmailDelivery, content: EmailContent | None) -> None:
        if content is None:
            return await mail._settle(scope, delivery.mark_failed(mail.GONE))
        await mail._settle(scope, delivery.mark_sent(scope.now()))
        return await scope.port(Mailer).send(scope.port(Composer).compose(delivery.id, delivery.recipient, content))

    patch.setattr(mail, "_send", send)


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

    patch.setattr(services.analytics.figures.usecases, "count_created", count_created)
