"""CORS: web pages may use the API if the organization of the token allows their origin.

We accept bearer tokens and no cookies, so a page gains nothing from a browser that is signed in elsewhere. A preflight
carries no token and is answered alike for everybody; the request itself is what is checked. For routes without a token,
and for the platform's staff, the stage's settings name the allowed origins. A refusal before we know whose request it
is, such as a 401, contains nobody's data, so every page may read it.
"""

from collections.abc import Mapping
from urllib.parse import urlsplit

from fastapi import Request
from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from chassis.errors import OriginRefused
from chassis.http.headers import NOTES
from chassis.http.idempotency import HEADER, REPLAYED, UNSAFE
from chassis.http.state import api_state_of
from chassis.tenants.organizations import profile_of
from chassis.tenants.rate_limit import ALLOWANCE_HEADERS
from chassis.work.scope import OrgScope

PREFLIGHT = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Allow-Methods": "GET, POST, PUT, PATCH, DELETE",
    "Access-Control-Allow-Headers": f"Authorization, Content-Type, {HEADER}, If-Match, If-None-Match, X-Api-Key",
    "Access-Control-Max-Age": "600",
}
EXPOSED = ", ".join(("ETag", *ALLOWANCE_HEADERS, "Retry-After", REPLAYED, "Link", "Location"))


CHECKED = "origin_checked"
"""The attribute of a request's state that is set once its origin has been checked."""


class Preflights:
    """Answers preflight requests, before any token is asked for."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["method"] == "OPTIONS":
            headers = Headers(scope=scope)
            if "origin" in headers and "access-control-request-method" in headers:
                await Response(status_code=204, headers=PREFLIGHT)(scope, receive, send)
                return
        await self.app(scope, receive, send)


async def check_origin(request: Request, scope: OrgScope | None) -> None:
    """Let the page that sent the request read its answer if its origin is allowed, by the organization, or without a
    scope by the stage's settings. Raises OriginRefused for an unsafe request from any other page: a browser would carry
    it out and only hide the answer."""
    origin = request.headers.get("Origin")
    if origin is None:
        return
    host = request.headers.get("X-Forwarded-Host") or request.headers.get("Host")
    if urlsplit(origin).netloc == host:  # a page of the API's own, such as its documentation
        return
    setattr(request.state, CHECKED, True)
    if scope is None:
        allowed = origin in api_state_of(request).public_origins
    else:
        profile = await profile_of(scope)
        allowed = profile is not None and origin in profile.allowed_origins
    if allowed:
        notes: dict[str, str] = getattr(request.state, NOTES)
        notes |= {"Access-Control-Allow-Origin": origin, "Access-Control-Expose-Headers": EXPOSED}
    elif request.method in UNSAFE:
        raise OriginRefused


def headers_of_refusal(scope: Scope, status: int) -> Mapping[str, str]:
    """The headers that let every page read a refusal whose origin was not checked; none for any other answer."""
    if status < 400 or scope["state"].get(CHECKED) or "origin" not in Headers(scope=scope):
        return {}
    return {"Access-Control-Allow-Origin": "*", "Access-Control-Expose-Headers": EXPOSED}
