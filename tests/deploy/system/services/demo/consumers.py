from typing import Any

from services.demo.events import Happened

from chassis.declare.subscription import ExternalEvent, ExternalSubscription, Subscription

things = Subscription("things", mode="every", visibility=30, max_receives=4)


@things.on(Happened)
async def note(event: Happened, ctx: Any) -> None:
    """Never called: these tests have no worker."""


def understand(event: dict[str, Any]) -> ExternalEvent:
    raise NotImplementedError


uploads = ExternalSubscription(
    "uploads",
    source="aws.s3",
    detail_type="Object Created",
    detail={"bucket": {"name": [{"Ref": "Uploads"}]}},
    adapter=understand,
)
