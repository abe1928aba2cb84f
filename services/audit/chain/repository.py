"""Storage of an organization's chain: its blocks and its head."""

from chassis.errors import Stale
from chassis.work.repository import Repository
from chassis.work.unit_of_work import UnitOfWork
from services.audit.chain.model import Block, Head


class BlockRepository(Repository[Block]):
    """The blocks of the organization's chain, by number."""

    kind = "BLOCK"
    model = Block


class HeadRepository(Repository[Head]):
    """The head of the organization's chain. It changes only in the transaction of a new block."""

    kind = "HEAD"
    model = Head

    async def current(self) -> Head:
        return await self.find(Head().id) or Head()

    def advance(self, unit: UnitOfWork, head: Head) -> Head:
        """Store the new head in `unit`, whose commit raises Stale if another sealer was faster."""
        store = self.create if head.version == 0 else self.save
        return store(unit, head, on_conflict=Stale("Another sealer was first."))
