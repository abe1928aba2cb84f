"""The consumer of one subscription as a Lambda function on its queue: `chassis.runtime.lambda_consumer.handler`."""

import os
from collections.abc import Mapping
from typing import Any

from faststream_sqs import LambdaHandler

from chassis.declare.delivery_policy import SETTLE_MARGIN_SECONDS
from chassis.declare.service import load
from chassis.messaging.worker import make_broker
from chassis.runtime.function import Function


class Consumer:
    """The same subscriber as in a worker, fed by Lambda's event source. Loads no other subscription's code."""

    def __init__(self, function: Function, subscription: str) -> None:
        self._function = function
        broker = make_broker(
            function.context, [load(subscription)], function.settings.names, function.aws.json, graceful_seconds=0
        )
        self._messages = LambdaHandler(broker, margin=SETTLE_MARGIN_SECONDS)

    def __call__(self, event: Mapping[str, Any], context: Any) -> dict[str, Any]:
        return self._function.run(self._messages.handle(event, context))


handler = Consumer(Function.from_environment(), os.environ["TENFOLD_SUBSCRIPTION"])
