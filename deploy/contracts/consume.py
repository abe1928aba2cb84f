"""Let every consumer of one tree handle events, each by its real handler. Run as a script, it prints what failed.

`deploy.contracts.mixed` runs that of each revision with the code of that revision. What must stay the same is only how
the two talk: read events as a JSON list of `detail` objects from standard input, print a JSON list of failures.
"""

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

from chassis.declare.service import Service, service
from chassis.declare.subscription import AnySubscription, ExternalSubscription, Subscription
from chassis.errors import AlreadyHandled, TenfoldError
from chassis.messaging.dispatch import Delivery, Dispatcher
from chassis.testing.service import ServiceUnderTest
from contracts.catalog import load_all


class PortReached(Exception):
    """The handler got as far as what stands outside the process, so it understood its event."""


class _Port:
    """Whatever a handler asks of it, it was reached."""

    def __getattr__(self, name: str) -> Any:
        raise PortReached(name)


def consume(names: list[str], events: list[dict[str, Any]]) -> list[dict[str, str]]:
    """Every event to every subscription that wants it. Returns the failures: consumer, event, reason.

    A handler may find that what an event speaks of does not exist (a TenfoldError), for nothing does here; it may not
    fail to read it, and it may not crash on it.
    """
    load_all()
    return asyncio.run(_consume(names, events))


async def _consume(names: list[str], events: list[dict[str, Any]]) -> list[dict[str, str]]:
    failures: list[dict[str, str]] = []
    for name in names:
        declared = service(name)
        for subscription in declared.load_subscriptions():
            if isinstance(subscription, ExternalSubscription):
                continue
            for event in events:
                if _wants(subscription, event["type"]):
                    reason = await _failure(declared, subscription, event)
                    if reason:
                        consumer = f"{name}.{subscription.name}"
                        failures.append(
                            {"consumer": consumer, "event": event["type"], "id": event["id"], "reason": reason}
                        )
    return failures


def _wants(subscription: AnySubscription, event_type: str) -> bool:
    pattern = subscription.pattern
    return "detail-type" not in pattern or event_type in pattern["detail-type"]


async def _failure(declared: Service, subscription: Subscription, event: dict[str, Any]) -> str | None:
    """Why the consumer cannot handle the event; None if it can."""
    called: list[bool] = []
    world = ServiceUnderTest(declared, ports={port: _Port() for port in declared.ports})
    body = {"source": event["source"], "detail-type": event["type"], "detail": event}
    try:
        await Dispatcher(world.context, _watched(subscription, called)).handle(
            Delivery(json.dumps(body).encode(), "golden")
        )
    except (PortReached, AlreadyHandled):
        return None
    except TenfoldError as error:
        return None if called else error.detail
    except Exception as error:  # noqa: BLE001 - a bug of a handler may raise anything
        return f"{type(error).__name__}: {error}"
    return None


def _watched(subscription: Subscription, called: list[bool]) -> Subscription:
    """The same subscription, noting that a handler was called."""

    def watch(handler: Any) -> Any:
        async def noting(event: Any, ctx: Any) -> None:
            called.append(True)
            await handler(event, ctx)

        return noting

    copy = Subscription(subscription.name, mode=subscription.mode)
    copy.handlers = {name: (model, watch(handler)) for name, (model, handler) in subscription.handlers.items()}
    copy.any_handler = watch(subscription.any_handler) if subscription.any_handler else None
    return copy


def main() -> int:
    events = json.loads(sys.stdin.read())
    names = sorted(path.parent.name for path in Path("services").glob("*/service.py"))
    sys.stdout.write(json.dumps(consume(names, events)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
