"""Finding an organization's active members by what people write: an address, or a handle in a comment."""

import re
from collections.abc import Iterable, Iterator

from chassis.tenants.members import Member

_WRITTEN = re.compile(r"(?<![\w.+%@-])@([\w.+%'-]+(?:@[\w.-]+)?)")
"""`@handle` or `@whole@address`, but not the second half of an address that merely stands in the text."""


class People:
    """The active members. Letters' case does not matter."""

    def __init__(self, members: Iterable[Member]) -> None:
        self._by_address: dict[str, set[str]] = {}
        self._by_local_part: dict[str, set[str]] = {}
        for member in members:
            address = member.email.casefold()
            self._by_address.setdefault(address, set()).add(member.id)
            self._by_local_part.setdefault(address.split("@", 1)[0], set()).add(member.id)

    def by_address(self, address: str) -> str | None:
        return _only(self._by_address.get(address.casefold()))

    def by_handle(self, handle: str) -> str | None:
        """By a whole address or by its local part; a local part that several have means nobody."""
        if "@" in handle:
            return self.by_address(handle)
        return _only(self._by_local_part.get(handle.casefold()))

    def mentioned_in(self, text: str, *, author_id: str) -> list[str]:
        """Whom `text` mentions, each once and in order, without its author."""
        found = (self._meant(written) for written in _WRITTEN.findall(text))
        return list(dict.fromkeys(user_id for user_id in found if user_id not in (None, author_id)))

    def _meant(self, written: str) -> str | None:
        return next((user_id for handle in _readings(written) if (user_id := self.by_handle(handle))), None)


def has_handles(text: str) -> bool:
    return _WRITTEN.search(text) is not None


def _readings(written: str) -> Iterator[str]:
    """What was written, then without the punctuation or the genitive that may follow a handle."""
    yield written
    yield written.rstrip(".-_'")
    yield written.removesuffix("'s")


def _only(user_ids: set[str] | None) -> str | None:
    return next(iter(user_ids)) if user_ids is not None and len(user_ids) == 1 else None
