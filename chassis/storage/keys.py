"""Keys of a service's table. Only this module, and the scopes that use it, know how they are written.

An organization is never one partition: `ORG#<org>#<KIND>#<id>`. The functions below are the closed list of global
families, which belong to no organization.
"""

from dataclasses import dataclass
from hashlib import blake2s


@dataclass(frozen=True)
class Key:
    pk: str
    sk: str = "A"


@dataclass(frozen=True)
class ListEntry:
    """The place of an item in a list: its keys in the GSI number `index`. `sort` must be unique within the list: end it
    with the item's id."""

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
    """The item that says which generation of a projection is live; see chassis.work.projection_versions."""
    return Key(f"GENERATION#{consumer}")


def unique_key(family: str, value: str) -> Key:
    """The item that holds a value which may exist only once in the whole system, such as an organization's slug."""
    return Key(f"UNIQUE#{family}#{value}")


def token_key(digest: str) -> Key:
    """The item that a secret token leads to, by the token's hash."""
    return Key(f"TOKEN#{digest}")


def readiness_key() -> Key:
    """The key of an item that never exists: reading it shows that the table can be read."""
    return Key("READINESS")


def work_pk(name: str, shard: int) -> str:
    """The partition of a work queue of all organizations; see chassis.storage.work_queue."""
    return f"WORK#{name}#{shard}"


def shard_of(value: str, shards: int) -> int:
    """A stable shard number below `shards`."""
    return int.from_bytes(blake2s(value.encode(), digest_size=4).digest()) % shards
