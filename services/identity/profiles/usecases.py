"""Reading a user's account."""

from chassis.errors import NotFound
from chassis.work.scope import UserScope
from services.identity.profiles.model import UserAccount
from services.identity.profiles.repository import find_account


async def get_account(scope: UserScope) -> UserAccount:
    """The account of the scope's user. Raises NotFound for a user who never registered here."""
    account = await find_account(scope)
    if account is None:
        raise NotFound("user")
    return account
