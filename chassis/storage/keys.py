"""Keys of a service's table. Only this module and the scopes that use it know how they are written.

An organization is never one partition: `ORG#<org>#<KIND>#<id>`. The global families, which belong to no organization,
are the closed list below.
"""

from dataclasses import dataclass
from hashlib import blake2s


@dataclass(frozen=True)
class Key:
    pk: str
    sk: str = "A"


@dataclass(frozen=True)
class ListEntry:
    """Where an item stands in list index `index`. `sort` must be unique within the list: end it with the id."""

    index: int
    pk: str
    sort: str


def org_prefix(org_id: str) -> str:
    return f"ORG#{org_id}"


def user_prefix(user_id: str) -> str:
    return f"USER#{user_id}"


def outbox_key(shard: int, event_id: str) -> Key:
    return Key(outbox_pk(shard), event_id)


def outbox_pk(shard: int) -> str:
    return f"OUTBOX#{shard}"


def inbox_key(consumer: str, event_id: str) -> Key:
    return Key(f"INBOX#{consumer}#{event_id}")


def generation_key(consumer: str) -> Key:
    """Says which generation of a consumer's projection is live; see chassis.work.projection_versions."""
    return Key(f"GENERATION#{consumer}")


def unique_key(what: str, value: str) -> Key:
    """Holds a value that may exist once in the whole system, such as an organization's slug."""
    return Key(f"UNIQUE#{what}#{value}")


def token_key(digest: str) -> Key:
    """Finds what a secret token stands for, by the token's hash."""
    return Key(f"TOKEN#{digest}")


def readiness_key() -> Key:
    """Where nothing ever stands: reading it shows that the table can be read."""
    return Key("READINESS")


def work_pk(name: str, shard: int) -> str:
    """A list of items of all organizations that wait for a schedule; see chassis.storage.work_queue."""
    return f"WORK#{name}#{shard}"


def shard_of(value: str, shards: int) -> int:
    """A stable shard number below `shards`."""
    return int.from_bytes(blake2s(value.encode(), digest_size=4).digest()) % shards
