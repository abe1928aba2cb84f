"""The format of API keys: `tfk_<organization>_<key>_<secret>_<checksum>`.

The prefix is for secret scanners. The checksum lets them, and us, tell a key from a text that only looks like one. The
organization and the key's id lead to its row in one read. The secret has 256 random bits, so a plain SHA-256 of it is
stored: there is nothing to guess, against which a slow hash would protect as it does for passwords.
"""

import hashlib
import hmac
import re
import zlib
from dataclasses import dataclass, field

from chassis.errors import Unauthenticated

PATTERN = re.compile(
    r"tfk_(?P<org>[0-9a-z]{1,64})_(?P<key>[0-9a-z]{1,64})_(?P<secret>[0-9a-f]{64})_(?P<sum>[0-9a-f]{8})"
)
"""Secret scanners use this pattern, too."""
MAX_LENGTH = 256


@dataclass(frozen=True)
class PresentedKey:
    """A well-formed key that a caller presents; whether it is a good one is not known yet."""

    org_id: str
    key_id: str
    digest: str = field(repr=False)


def format_key(org_id: str, key_id: str, secret: str) -> str:
    """The key as it is shown to its holder, once. `secret` is 32 random bytes in hexadecimal."""
    body = f"{prefix(org_id, key_id)}_{secret}"
    return f"{body}_{_checksum(body)}"


def prefix(org_id: str, key_id: str) -> str:
    """The part of a key that may be shown, by which a leaked key can be found."""
    return f"tfk_{org_id.removeprefix('org_')}_{key_id.removeprefix('key_')}"


def digest_of(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def parse_key(text: str) -> PresentedKey:
    """The parts of a key. Raises Unauthenticated for a text that cannot be a key."""
    parts = PATTERN.fullmatch(text) if len(text) <= MAX_LENGTH else None
    if parts is None or not hmac.compare_digest(_checksum(text.rpartition("_")[0]), parts["sum"]):
        raise Unauthenticated("This is not an API key; copy it whole, from tfk_ to its last character.")
    return PresentedKey(f"org_{parts['org']}", f"key_{parts['key']}", digest_of(parts["secret"]))


def _checksum(body: str) -> str:
    return f"{zlib.crc32(body.encode()):08x}"
