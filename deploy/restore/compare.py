"""Comparison of two tables of one service: items counted by kind, and differences."""

import hashlib
import json
from collections import Counter
from dataclasses import dataclass, field

from botocore.exceptions import BotoCoreError, ClientError
from rich.table import Table

from deploy.aws import Aws
from deploy.errors import StackError

MOST = 50_000
"""The most items that are read of each table; a larger table is compared in part, and the operator is told so."""
SHOWN = 5
OWNERS = frozenset({"ORG", "USER"})


@dataclass
class Comparison:
    """The comparison of the table in use (`now`) with the restored one (`then`), by kind of item."""

    now: Counter[str] = field(default_factory=Counter)
    then: Counter[str] = field(default_factory=Counter)
    gone: Counter[str] = field(default_factory=Counter)
    """Only in the restored table: deleted since."""
    new: Counter[str] = field(default_factory=Counter)
    """Only in the table in use: made since, and lost after the swap."""
    changed: Counter[str] = field(default_factory=Counter)
    samples: list[str] = field(default_factory=list)
    complete: bool = True

    def as_table(self, now: str, then: str) -> Table:
        table = Table("items", now, then, "made since", "deleted since", "changed since")
        for kind in sorted(self.now.keys() | self.then.keys()):
            counts = (self.now, self.then, self.new, self.gone, self.changed)
            table.add_row(kind, *(str(count[kind]) for count in counts))
        return table


def compare(aws: Aws, now: str, then: str) -> Comparison:
    """Read both tables, at most MOST items of each. Raises StackError."""
    present, present_whole = _digests(aws, now)
    restored, restored_whole = _digests(aws, then)
    comparison = Comparison(complete=present_whole and restored_whole)
    for key, digest in present.items():
        kind = kind_of(key)
        comparison.now[kind] += 1
        if key not in restored:
            comparison.new[kind] += 1
            _add_sample(comparison, f"made since: {key}")
        elif restored[key] != digest:
            comparison.changed[kind] += 1
            _add_sample(comparison, f"changed since: {key}")
    for key in restored:
        comparison.then[kind_of(key)] += 1
        if key not in present:
            comparison.gone[kind_of(key)] += 1
            _add_sample(comparison, f"deleted since: {key}")
    return comparison


def kind_of(key: str) -> str:
    """`ORG#org_1#TASK#task_1 A` is a TASK, `INBOX#... A` an INBOX."""
    parts = key.partition(" ")[0].split("#")
    return parts[2] if parts[0] in OWNERS and len(parts) > 2 else parts[0]


def _add_sample(comparison: Comparison, text: str) -> None:
    if len(comparison.samples) < SHOWN:
        comparison.samples.append(text)


def _digests(aws: Aws, table: str) -> tuple[dict[str, bytes], bool]:
    """A digest of each item by its key, and whether these are all items."""
    digests: dict[str, bytes] = {}
    try:
        pages = aws.client("dynamodb").get_paginator("scan").paginate(TableName=table, ConsistentRead=True)
        for item in (item for page in pages for item in page["Items"]):
            if len(digests) == MOST:
                return digests, False
            text = json.dumps(item, sort_keys=True, default=repr).encode()
            key = f"{item['PK']['S']} {item['SK']['S']}"
            digests[key] = hashlib.blake2b(text, digest_size=12).digest()
    except (ClientError, BotoCoreError) as error:
        raise StackError(f"cannot read {table}: {error}") from error
    return digests, True
