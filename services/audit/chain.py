"""The hash chain: how records are linked. Pure.

A record's hash covers its number, its id, the hash of its content and the hash of the record before it. Blocks keep the
content hashes apart from the records, so that the chain can be recomputed without them.
"""

from collections.abc import Sequence
from hashlib import sha256

from services.audit.model import Block, Head, Link, Record, canonical


def content_hash(record: Record) -> str:
    return _digest(canonical(record.content()))


def link_hash(previous: str, seq: int, link: Link) -> str:
    return _digest(canonical([previous, seq, link.record_id, link.content_hash]))


def block_id(number: int) -> str:
    return f"{number:012d}"


def seal(head: Head, records: Sequence[Record]) -> tuple[Head, Block, list[Record]]:
    """Link `records` behind `head`: the new head, the new block, the records with their places."""
    links, sealed, previous = [], [], head.hash
    for seq, record in enumerate(records, head.sealed + 1):
        link = Link(record_id=record.id, content_hash=content_hash(record))
        found = link_hash(previous, seq, link)
        links.append(link)
        sealed.append(record.model_copy(update={"seq": seq, "previous_hash": previous, "hash": found}))
        previous = found
    number = head.blocks + 1
    block = Block(id=block_id(number), first=head.sealed + 1, previous_hash=head.hash, links=links, hash=previous)
    grown = {"sealed": head.sealed + len(records), "blocks": number, "hash": previous}
    return head.model_copy(update=grown), block, sealed


def _digest(text: str) -> str:
    return sha256(text.encode()).hexdigest()
