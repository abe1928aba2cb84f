"""Accounts of the development provider that several requests change at once."""

from collections.abc import Sequence

import pytest

from chassis.errors import Unavailable
from chassis.resilience.retry import STALE_POLICY
from chassis.storage.table import ConditionRefused, WriteOperation
from chassis.testing.memory import MemoryTable
from services.identity.adapters.development_accounts import DevelopmentAccount, DevelopmentAccounts

EMAIL = "ada@acme.example"
ACCOUNT = DevelopmentAccount(
    user_id="user_ada", email=EMAIL, name="Ada", invited=False, attempt="a", salt="", password="", code=""
)


class ContendedTable(MemoryTable):
    """Refuses the next `refusals` writes, as if somebody else had changed the item first."""

    refusals = 0

    async def write(self, operations: Sequence[WriteOperation]) -> None:
        if self.refusals:
            self.refusals -= 1
            raise ConditionRefused([0])
        await super().write(operations)


@pytest.fixture
def table(monkeypatch: pytest.MonkeyPatch) -> ContendedTable:
    monkeypatch.setattr("chassis.resilience.retry.random.uniform", lambda _least, _most: 0.0)
    return ContendedTable()


async def test_a_change_that_others_were_faster_than_is_made_from_the_newest_state(table: ContendedTable) -> None:
    accounts = DevelopmentAccounts(table)
    await accounts.create(ACCOUNT)
    table.refusals = 3
    changed = await accounts.change(EMAIL, lambda present: present.count_failure(1.0, 900.0))
    assert changed is not None
    assert (changed.failures, changed.version) == (1, 2)
    assert await accounts.find(EMAIL) == changed


async def test_an_account_that_is_changed_without_pause_is_unavailable(table: ContendedTable) -> None:
    accounts = DevelopmentAccounts(table)
    await accounts.create(ACCOUNT)
    table.refusals = STALE_POLICY.tries or 0
    with pytest.raises(Unavailable, match="changed by many at once"):
        await accounts.change(EMAIL, lambda present: present)
    assert table.refusals == 0


async def test_what_needs_no_change_is_not_written(table: ContendedTable) -> None:
    accounts = DevelopmentAccounts(table)
    await accounts.create(ACCOUNT)
    assert await accounts.change(EMAIL, lambda _: None) is None
    assert await accounts.change("nobody@acme.example", lambda present: present) is None
    assert await accounts.find(EMAIL) == ACCOUNT
