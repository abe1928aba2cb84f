"""Addresses: where a client reads an object, and under which name a browser saves it. Pure."""

import re
from dataclasses import dataclass
from datetime import datetime

ADDRESS_SECONDS = 300
_ATTRIBUTE = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789!#$&+-.^_`|~")


@dataclass(frozen=True)
class Address:
    """A URL under which a client can read an object until `expires_at`."""

    url: str
    expires_at: datetime


def attachment(name: str) -> str:
    """The Content-Disposition under which a browser saves a file by its own name (RFC 6266, RFC 8187)."""
    plain = re.sub(r'[^\x20-\x7e]|["\\%]', "_", name)
    encoded = "".join(chr(byte) if chr(byte) in _ATTRIBUTE else f"%{byte:02X}" for byte in name.encode())
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{encoded}"
