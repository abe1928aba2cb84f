"""Verification: are an organization's records the ones that were sealed, all of them and in that order?

The chain itself is read by keys, which are always current. The records are read by their GSI, which is cheap but may
lag a moment behind: a record that it does not show yet is read by its key before it counts as removed.
"""

from chassis.work.scope import OrgScope
from services.audit.chain.model import ChainBroken, ChainPosition, Head, Verification, block_id, link_hash
from services.audit.chain.repository import BlockRepository, HeadRepository
from services.audit.records.model import Record
from services.audit.records.repository import RecordRepository, is_waiting


async def verify(scope: OrgScope) -> Verification:
    """Reads every record of the organization once."""
    verifier = _Verifier(scope)
    fault: ChainBroken | None = None
    try:
        await verifier.recompute_chain()
        await verifier.compare_records()
    except ChainBroken as broken:
        fault = broken
    return Verification(
        org_id=scope.org_id,
        sealed=verifier.head.sealed,
        unsealed=len(verifier.waiting - verifier.positions.keys()),
        valid=fault is None,
        head=verifier.head.hash if verifier.head.sealed else None,
        broken_at=fault.seq if fault else None,
        reason=fault.reason if fault else None,
    )


class _Verifier:
    """One walk over an organization's chain and its records."""

    def __init__(self, scope: OrgScope) -> None:
        self._heads, self._blocks, self._records = (
            HeadRepository(scope),
            BlockRepository(scope),
            RecordRepository(scope),
        )
        self.head = Head()
        self.waiting: set[str] = set()
        self.positions: dict[str, ChainPosition] = {}
        self._blocks_read, self._hash, self._sealed = 0, self.head.hash, 0
        self._strangers: list[Record] = []
        self._checked: set[str] = set()
        self._faults: list[ChainBroken] = []

    async def recompute_chain(self) -> None:
        """Read on from the last block that was read to the chain's head, which may have moved. Raises ChainBroken."""
        self.head = await self._heads.current()
        while self._blocks_read < self.head.blocks:
            await self._recompute_block(self._blocks_read + 1)
        if (self._sealed, self._hash) != (self.head.sealed, self.head.hash):
            raise ChainBroken(min(self._sealed, self.head.sealed) + 1, "the chain does not end where its head says")
        if await self._blocks.find(block_id(self.head.blocks + 1)):
            current = await self._heads.current()
            if current.blocks <= self.head.blocks:
                raise ChainBroken(self.head.sealed + 1, "the chain goes on behind its head: the head was set back")

    async def _recompute_block(self, number: int) -> None:
        block = await self._blocks.find(block_id(number))
        if block is None:
            raise ChainBroken(self._sealed + 1, f"block {number} of the chain is missing")
        if (block.first, block.previous_hash) != (self._sealed + 1, self._hash):
            raise ChainBroken(self._sealed + 1, f"block {number} does not follow the one before it")
        for seq, link in enumerate(block.links, block.first):
            position = ChainPosition(seq, link, self._hash, link_hash(self._hash, seq, link))
            self.positions[link.record_id] = position
            self._hash, self._sealed = position.hash, seq
        if block.hash != self._hash:
            raise ChainBroken(block.first, f"block {number} was changed: its links do not give its hash")
        self._blocks_read = number

    async def compare_records(self) -> None:
        """Raises ChainBroken for the lowest number where something is wrong."""
        async for item in self._records.walk_items():
            record = Record.model_validate(item)
            if record.seq is None:
                self.waiting.add(record.id)
                if not is_waiting(item):
                    reason = f"record {record.id} was inserted: nothing will ever seal it"
                    self._faults.append(ChainBroken(None, reason))
            elif record.id in self.positions:
                self._check(record)
            else:
                self._strangers.append(record)  # inserted, or sealed since the chain was read
        if self._strangers:
            await self.recompute_chain()
        for record in self._strangers:
            self._check(record)
        for record_id in self.positions.keys() - self._checked:
            current = await self._records.find(record_id)
            if current is None:
                self._faults.append(ChainBroken(self.positions[record_id].seq, f"record {record_id} was removed"))
            else:
                self._check(current)
        if self._faults:
            raise min(self._faults, key=lambda fault: fault.seq or self.head.sealed + 1)

    def _check(self, record: Record) -> None:
        position = self.positions.get(record.id)
        if position is None:
            self._faults.append(ChainBroken(record.seq, f"record {record.id} was inserted: the chain does not have it"))
        elif record.id in self._checked:
            self._faults.append(ChainBroken(record.seq, f"record {record.id} was inserted: it is there twice"))
        elif (fault := position.fault_of(record)) is not None:
            self._faults.append(fault)
        self._checked.add(record.id)
