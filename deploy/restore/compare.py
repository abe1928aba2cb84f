"""What two tables of one service hold: counted by kind of item, and where they differ."""

import hashlib
import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from rich.table import Table

from deploy.stage.aws import Aws
from deploy.stage.errors import StackError

MOST = 50_000
"""Items that are read of each table; what has more is told of by DynamoDB's own count, which is hours old."""
SHOWN = 5
OWNERS = frozenset({"ORG", "USER"})


@dataclass
class Comparison:
    """Of the table in use (`now`) with the restored one (`then`), by kind of item."""

    now: Counter[str] = field(default_factory=Counter)
    then: Counter[str] = field(default_factory=Counter)
    gone: Counter[str] = field(default_factory=Counter)
    """Only in the restored table: deleted since."""
    new: Counter[str] = field(default_factory=Counter)
    """Only in the table in use: made since, and not there any more after the swap."""
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
    found = Comparison(complete=present_whole and restored_whole)
    for key, digest in present.items():
        kind = kind_of(key)
        found.now[kind] += 1
        if key not in restored:
            found.new[kind] += 1
            _sample(found, f"made since: {key}")
        elif restored[key] != digest:
            found.changed[kind] += 1
            _sample(found, f"changed since: {key}")
    for key in restored:
        found.then[kind_of(key)] += 1
        if key not in present:
            found.gone[kind_of(key)] += 1
            _sample(found, f"deleted since: {key}")
    return found


def kind_of(key: str) -> str:
    """`ORG#org_1#TASK#task_1 A` is a TASK, `INBOX#... A` an INBOX."""
    parts = key.partition(" ")[0].split("#")
    return parts[2] if parts[0] in OWNERS and len(parts) > 2 else parts[0]


def _sample(found: Comparison, text: str) -> None:
    if len(found.samples) < SHOWN:
        found.samples.append(text)


def _digests(aws: Aws, table: str) -> tuple[dict[str, bytes], bool]:
    """Of each item by its key, and whether these are all."""
    digests: dict[str, bytes] = {}
    try:
        for item in _items(aws, table):
            if len(digests) == MOST:
                return digests, False
            text = json.dumps(item, sort_keys=True, default=repr).encode()
            key = f"{item['PK']['S']} {item['SK']['S']}"
            digests[key] = hashlib.blake2b(text, digest_size=12).digest()
    except (ClientError, BotoCoreError) as error:
        raise StackError(f"cannot read {table}: {error}") from error
    return digests, True


def _items(aws: Aws, table: str) -> Iterator[dict[str, Any]]:
    pages = aws.client("dynamodb").get_paginator("scan").paginate(TableName=table, ConsistentRead=True)
    for page in pages:
        yield from page["Items"]
