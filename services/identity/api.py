"""The routes of identity, feature by feature."""

from fastapi import APIRouter

from services.identity.accounts import api as accounts
from services.identity.api_keys import api as api_keys
from services.identity.profiles import api as profiles
from services.identity.sessions import api as sessions

router = APIRouter(
    routes=[*accounts.router.routes, *sessions.router.routes, *profiles.router.routes, *api_keys.router.routes]
)
