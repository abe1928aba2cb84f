"""What an API key looks like: `tfk_<organization>_<key>_<secret>_<checksum>`.

The prefix is for secret scanners, the checksum lets them (and us) tell a key from what only looks like one without
asking anybody, the organization and the key's id lead to its row in one read, and the secret has 256 random bits. It is
therefore kept as a plain SHA-256: there is nothing to guess that a slow hash would protect, as it does for passwords.
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
"""For secret scanners too."""
MAX_LENGTH = 256


@dataclass(frozen=True)
class PresentedKey:
    """A well-formed key that somebody presents; nothing says yet that it is a good one."""

    org_id: str
    key_id: str
    digest: str = field(repr=False)


def format_key(org_id: str, key_id: str, secret: str) -> str:
    """The key as its holder is shown it, once. `secret` is 32 random bytes in hexadecimal."""
    body = f"{prefix(org_id, key_id)}_{secret}"
    return f"{body}_{_checksum(body)}"


def prefix(org_id: str, key_id: str) -> str:
    """The part of a key that may be shown: by it a leaked key is found."""
    return f"tfk_{org_id.removeprefix('org_')}_{key_id.removeprefix('key_')}"


def digest_of(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def parse_key(text: str) -> PresentedKey:
    """Raises Unauthenticated for what cannot be a key."""
    found = PATTERN.fullmatch(text) if len(text) <= MAX_LENGTH else None
    if found is None or not hmac.compare_digest(_checksum(text.rpartition("_")[0]), found["sum"]):
        raise Unauthenticated("This is not an API key; copy it whole, from tfk_ to its last character.")
    return PresentedKey(f"org_{found['org']}", f"key_{found['key']}", digest_of(found["secret"]))


def _checksum(body: str) -> str:
    return f"{zlib.crc32(body.encode()):08x}"
