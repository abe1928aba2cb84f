"""Personal organizations: their ids, names and slugs, all of which follow from the person. Pure."""

import re
import unicodedata
from datetime import datetime
from hashlib import sha256

from contracts.common import OrgId, UserId
from services.tenancy.organizations.model import Organization


def personal_organization(user_id: UserId, name: str, now: datetime) -> Organization:
    """The organization of one person alone, with the first of their slugs."""
    slug, _ = personal_slugs(user_id, name)
    return Organization(
        id=personal_org_id(user_id),
        slug=slug,
        name=f"{name}'s space" if name else "Personal space",
        personal=True,
        owners=(user_id,),
        created_at=now,
    )


def personal_org_id(user_id: UserId) -> OrgId:
    """The id of a user's personal organization. It is always the same, so that making it twice meets the first one."""
    return f"org_{_hash(f'personal organization of {user_id}')[:32]}"


def personal_slugs(user_id: UserId, name: str) -> tuple[str, str]:
    """A slug for a user's personal organization, and another in case somebody has taken it."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    readable = re.sub(r"[^a-z0-9]+", "-", plain)[:24].strip("-") or "space"
    digest = _hash(f"slug of {user_id}")
    return f"{readable}-{digest[:8]}", f"space-{digest[:32]}"


def _hash(text: str) -> str:
    return sha256(text.encode()).hexdigest()
