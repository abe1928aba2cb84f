"""Finding an organization's active members by what people write: an address, or a handle in a comment. Pure."""

import re
from collections.abc import Iterable

from chassis.tenants.members import Member

_HANDLE = re.compile(r"(?<![\w.+%@-])@([\w.+%'-]+(?:@[\w.-]+)?)")
"""`@handle` or `@whole@address`, but not the second half of an address that the text merely contains."""


class People:
    """The active members, found by address or handle. Upper and lower case do not matter."""

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
        """The member with this address or local part; nobody if several share the local part."""
        if "@" in handle:
            return self.by_address(handle)
        return _only(self._by_local_part.get(handle.casefold()))

    def mentioned_in(self, text: str, *, author_id: str) -> list[str]:
        """The ids of the members that `text` mentions, each once and in order, without its author."""
        mentioned: dict[str, None] = {}
        for match in _HANDLE.findall(text):
            # As it is, then without the punctuation or the genitive that may follow a handle.
            readings = (match, match.rstrip(".-_'"), match.removesuffix("'s"))
            user_id = next(filter(None, map(self.by_handle, readings)), None)
            if user_id is not None and user_id != author_id:
                mentioned[user_id] = None
        return list(mentioned)


def has_handles(text: str) -> bool:
    return _HANDLE.search(text) is not None


def _only(user_ids: set[str] | None) -> str | None:
    return next(iter(user_ids)) if user_ids is not None and len(user_ids) == 1 else None
