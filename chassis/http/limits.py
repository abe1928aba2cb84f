"""Rate limits over HTTP: each request of a member or a program counts, and each answer says what is left.

Counted is who is known to belong to the organization, also when they are then refused: strangers cannot use up an
organization's allowance, and members cannot hammer a closed door for free.
"""

from fastapi import Request
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from chassis.context import OrgScope
from chassis.limits import Allowance, RateLimited, spend
from contracts.common import Plan


async def count(request: Request, scope: OrgScope, api_key: str | None = None) -> None:
    """Called by the guard once it knows that the caller belongs here. Raises RateLimited."""
    try:
        request.state.allowance = await spend(scope, Plan.FREE, api_key)
    except RateLimited as refused:
        request.state.allowance = refused.allowance
        raise


class AllowanceHeaders:
    """Puts the `RateLimit-*` fields on the answer of every request that was counted."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def tell(message: Message) -> None:
            allowance: Allowance | None = scope.get("state", {}).get("allowance")
            if allowance is not None and message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(allowance.headers())
            await send(message)

        await self.app(scope, receive, tell)
