"""Verifying: are an organization's records the ones that were sealed, all of them and in that order?

The chain itself is read by keys, which are always current. The records are read by their list, which is cheap but may
lag a moment behind: what it does not show yet is read by its key before it counts as removed.
"""

from chassis.work.scope import OrgScope
from services.audit import chain
from services.audit.model import Head, Link, Record, Verification
from services.audit.repository import Blocks, Heads, Records, is_waiting


class Broken(Exception):
    """The chain does not hold; `seq` is where, None for what never had a number."""

    def __init__(self, seq: int | None, reason: str) -> None:
        super().__init__(reason)
        self.seq, self.reason = seq, reason


async def verify(scope: OrgScope) -> Verification:
    """Reads every record of the organization once."""
    verifier = _Verifier(scope)
    fault: Broken | None = None
    try:
        await verifier.recompute_chain()
        await verifier.compare_records()
    except Broken as broken:
        fault = broken
    return Verification(
        org_id=scope.org_id,
        sealed=verifier.head.sealed,
        unsealed=len(verifier.waiting - verifier.places.keys()),
        valid=fault is None,
        head=verifier.head.hash if verifier.head.sealed else None,
        broken_at=fault.seq if fault else None,
        reason=fault.reason if fault else None,
    )


class _Verifier:
    def __init__(self, scope: OrgScope) -> None:
        self._heads, self._blocks, self._records = Heads(scope), Blocks(scope), Records(scope)
        self.head = Head()
        self.waiting: set[str] = set()
        self.places: dict[str, _Place] = {}
        self._blocks_read, self._hash, self._sealed = 0, self.head.hash, 0
        self._strangers: list[Record] = []
        self._checked: set[str] = set()
        self._faults: list[Broken] = []

    async def recompute_chain(self) -> None:
        """Read on from where it is to the chain's head, which may have moved. Raises Broken."""
        self.head = await self._heads.current()
        while self._blocks_read < self.head.blocks:
            await self._recompute_block(self._blocks_read + 1)
        if (self._sealed, self._hash) != (self.head.sealed, self.head.hash):
            raise Broken(min(self._sealed, self.head.sealed) + 1, "the chain does not end where its head says")
        if await self._blocks.find(chain.block_id(self.head.blocks + 1)):
            moved = await self._heads.current()
            if moved.blocks <= self.head.blocks:
                raise Broken(self.head.sealed + 1, "the chain goes on behind its head: the head was set back")

    async def _recompute_block(self, number: int) -> None:
        block = await self._blocks.find(chain.block_id(number))
        if block is None:
            raise Broken(self._sealed + 1, f"block {number} of the chain is missing")
        if (block.first, block.previous_hash) != (self._sealed + 1, self._hash):
            raise Broken(self._sealed + 1, f"block {number} does not follow the one before it")
        for seq, link in enumerate(block.links, block.first):
            found = chain.link_hash(self._hash, seq, link)
            self.places[link.record_id] = _Place(seq, link, self._hash, found)
            self._hash, self._sealed = found, seq
        if block.hash != self._hash:
            raise Broken(block.first, f"block {number} was changed: its links do not give its hash")
        self._blocks_read = number

    async def compare_records(self) -> None:
        """Raises Broken for the lowest number where something is wrong."""
        async for item in self._records.everything():
            self._meet(Record.model_validate(item), is_waiting(item))
        if self._strangers:
            await self.recompute_chain()
        for record in self._strangers:
            self._check(record)
        for record_id in self.places.keys() - self._checked:
            current = await self._records.find(record_id)
            if current is None:
                self._faults.append(Broken(self.places[record_id].seq, f"record {record_id} was removed"))
            else:
                self._check(current)
        if self._faults:
            raise min(self._faults, key=lambda fault: fault.seq or self.head.sealed + 1)

    def _meet(self, record: Record, is_waiting: bool) -> None:
        if record.seq is not None and record.id in self.places:
            self._check(record)
        elif record.seq is not None:
            self._strangers.append(record)  # inserted, or sealed since the chain was read
        else:
            self.waiting.add(record.id)
            if not is_waiting:
                self._faults.append(Broken(None, f"record {record.id} was inserted: nothing will ever seal it"))

    def _check(self, record: Record) -> None:
        place = self.places.get(record.id)
        if place is None:
            self._faults.append(Broken(record.seq, f"record {record.id} was inserted: the chain does not have it"))
        elif record.id in self._checked:
            self._faults.append(Broken(record.seq, f"record {record.id} was inserted: it is there twice"))
        elif (fault := place.fault_of(record)) is not None:
            self._faults.append(fault)
        self._checked.add(record.id)


class _Place:
    """A record's place, as the chain has it."""

    def __init__(self, seq: int, link: Link, previous_hash: str, found: str) -> None:
        self.seq, self._link = seq, link
        self._chained = (seq, previous_hash, found)

    def fault_of(self, record: Record) -> Broken | None:
        if chain.content_hash(record) != self._link.content_hash:
            return Broken(self.seq, f"record {record.id} was changed after it was sealed")
        if (record.seq, record.previous_hash, record.hash) != self._chained:
            return Broken(self.seq, f"record {record.id} is not in the place that it was sealed in")
        return None
