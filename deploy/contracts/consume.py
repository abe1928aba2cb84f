"""Lets every consumer of one tree handle events, by its real handlers. Run as a script, it prints what failed.

`deploy.contracts.mixed` runs this script of each revision with the code of that revision. Only their protocol must stay
the same: read events as a JSON list of `detail` objects from standard input, print a JSON list of failures.
"""

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

from chassis.declare.service import Service, service
from chassis.declare.subscription import ExternalSubscription, Subscription
from chassis.errors import AlreadyHandled, TenfoldError
from chassis.messaging.dispatch import Delivery, Dispatcher
from chassis.testing.service import ServiceUnderTest
from contracts.catalog import load_all


class PortReached(Exception):
    """The handler called a port, so it has understood its event."""


class _Port:
    """A port that raises PortReached for every call."""

    def __getattr__(self, name: str) -> Any:
        raise PortReached(name)


async def consume(names: list[str], events: list[dict[str, Any]]) -> list[dict[str, str]]:
    """Deliver every event to every subscription that wants it. Returns the failures: consumer, event, reason.

    A handler may find that the subject of an event does not exist (a TenfoldError), because nothing exists here. It
    must be able to read the event, and must not crash.
    """
    load_all()
    failures: list[dict[str, str]] = []
    for name in names:
        declared = service(name)
        for subscription in declared.load_subscriptions():
            if isinstance(subscription, ExternalSubscription):
                continue
            types = subscription.pattern.get("detail-type")
            for event in events:
                if types is not None and event["type"] not in types:
                    continue
                reason = await _failure_reason(declared, subscription, event)
                if reason:
                    consumer = f"{name}.{subscription.name}"
                    failures.append({"consumer": consumer, "event": event["type"], "id": event["id"], "reason": reason})
    return failures


async def _failure_reason(declared: Service, subscription: Subscription, event: dict[str, Any]) -> str | None:
    """Why the consumer cannot handle the event; None if it can."""
    called: list[bool] = []
    world = ServiceUnderTest(declared, ports={port: _Port() for port in declared.ports})
    body = {"source": event["source"], "detail-type": event["type"], "detail": event}
    try:
        await Dispatcher(world.context, _with_watch(subscription, called)).handle(
            Delivery(json.dumps(body).encode(), "golden")
        )
    except (PortReached, AlreadyHandled):
        return None
    except TenfoldError as error:
        return None if called else error.detail
    except Exception as error:  # noqa: BLE001 - a bug of a handler may raise anything
        return f"{type(error).__name__}: {error}"
    return None


def _with_watch(subscription: Subscription, called: list[bool]) -> Subscription:
    """A copy of the subscription that adds to `called` when a handler is called."""

    def watch(handler: Any) -> Any:
        async def call(event: Any, ctx: Any) -> None:
            called.append(True)
            await handler(event, ctx)

        return call

    copy = Subscription(subscription.name, mode=subscription.mode)
    copy.handlers = {name: (model, watch(handler)) for name, (model, handler) in subscription.handlers.items()}
    copy.any_handler = watch(subscription.any_handler) if subscription.any_handler else None
    return copy


def main() -> int:
    events = json.loads(sys.stdin.read())
    names = sorted(path.parent.name for path in Path("services").glob("*/service.py"))
    sys.stdout.write(json.dumps(asyncio.run(consume(names, events))))
    return 0


if __name__ == "__main__":
    sys.exit(main())
