"""The routes of identity, feature by feature."""

from chassis.http.route import combine_routers
from services.identity.accounts import api as accounts
from services.identity.api_keys import api as api_keys
from services.identity.profiles import api as profiles
from services.identity.sessions import api as sessions

router = combine_routers(accounts.router, sessions.router, profiles.router, api_keys.router)
