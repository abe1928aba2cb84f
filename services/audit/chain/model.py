"""The hash chain: how records are linked. Pure.

A record's hash covers its number, its id, the hash of its content and the hash of the record before it. Blocks keep the
content hashes apart from the records, so that the chain can be recomputed without them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256

from pydantic import BaseModel

from chassis.work.repository import Aggregate
from services.audit.records.model import Record, canonical_json


class Link(BaseModel):
    """One record in the chain."""

    record_id: str
    content_hash: str


class Block(Aggregate):
    """The links of one transaction of the sealer: records `first`, `first + 1`, ... in this order. Never changed again.

    `hash` is the hash of its last record, and so the next block's `previous_hash`.
    """

    first: int
    previous_hash: str
    links: list[Link]
    hash: str


class Head(Aggregate):
    """The end of an organization's chain: `sealed` records in `blocks` blocks, the last with this hash."""

    id: str = "chain"
    sealed: int = 0
    blocks: int = 0
    hash: str = "0" * 64


class Verification(BaseModel):
    """The outcome of comparing an organization's records with its chain."""

    org_id: str
    sealed: int
    unsealed: int
    valid: bool
    head: str | None = None
    broken_at: int | None = None
    reason: str | None = None


class ChainBroken(Exception):
    """The chain does not hold. `seq` is the number where it breaks, None for a record that never had one."""

    def __init__(self, seq: int | None, reason: str) -> None:
        super().__init__(reason)
        self.seq, self.reason = seq, reason


@dataclass(frozen=True)
class ChainPosition:
    """One record's position, recomputed from the chain alone."""

    seq: int
    link: Link
    previous_hash: str
    hash: str

    def fault_of(self, record: Record) -> ChainBroken | None:
        """The difference between the record as it is stored and as it was sealed, if there is one."""
        if content_hash(record) != self.link.content_hash:
            return ChainBroken(self.seq, f"record {record.id} was changed after it was sealed")
        if (record.seq, record.previous_hash, record.hash) != (self.seq, self.previous_hash, self.hash):
            return ChainBroken(self.seq, f"record {record.id} is not in the place that it was sealed in")
        return None


def content_hash(record: Record) -> str:
    return _digest(canonical_json(record.sealed_content()))


def link_hash(previous: str, seq: int, link: Link) -> str:
    return _digest(canonical_json([previous, seq, link.record_id, link.content_hash]))


def block_id(number: int) -> str:
    return f"{number:012d}"


def seal(head: Head, records: Sequence[Record]) -> tuple[Head, Block, list[Record]]:
    """Link `records` behind `head`. Returns the new head, the new block, and the records with their positions."""
    links, sealed, previous = [], [], head.hash
    for seq, record in enumerate(records, head.sealed + 1):
        link = Link(record_id=record.id, content_hash=content_hash(record))
        current = link_hash(previous, seq, link)
        links.append(link)
        sealed.append(record.model_copy(update={"seq": seq, "previous_hash": previous, "hash": current}))
        previous = current
    number = head.blocks + 1
    block = Block(id=block_id(number), first=head.sealed + 1, previous_hash=head.hash, links=links, hash=previous)
    advance = {"sealed": head.sealed + len(records), "blocks": number, "hash": previous}
    return head.model_copy(update=advance), block, sealed


def _digest(text: str) -> str:
    return sha256(text.encode()).hexdigest()
