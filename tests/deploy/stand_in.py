"""An AWS with prepared answers."""

import json
from io import BytesIO
from typing import Any

from deploy.aws import Aws


class StandIn(Aws):
    """The answer of each operation by name, or the error that it raises. `calls` are the parameters of all calls."""

    def __init__(self, **answers: Any) -> None:
        super().__init__("http://127.0.0.1:9")
        object.__setattr__(self, "answers", answers)
        object.__setattr__(self, "calls", [])

    calls: list[dict[str, Any]]
    answers: dict[str, Any]

    def client(self, service: str) -> Any:
        return _Client(self)


class _Client:
    def __init__(self, aws: StandIn) -> None:
        self._aws = aws

    def __getattr__(self, operation: str) -> Any:
        answer = self._aws.answers[operation]

        def call(**parameters: Any) -> Any:
            self._aws.calls.append(parameters)
            if isinstance(answer, Exception):
                raise answer
            return {**answer, "Payload": BytesIO(json.dumps(answer["Payload"]).encode())}

        return call
