"""Write fence around a service's table during a swap: consumers pause, and the old table takes no writes."""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from deploy.aws import Aws
from deploy.errors import StackError

MAPPING = "AWS::Lambda::EventSourceMapping"
WRITES = ["dynamodb:BatchWriteItem", "dynamodb:DeleteItem", "dynamodb:PutItem", "dynamodb:UpdateItem"]
PAUSE_SECONDS = 180.0
STEP_SECONDS = 2.0
RESUME_TRIES = 10


class WriteFence:
    """The write fence of one service's stack. `wait` waits some seconds."""

    def __init__(self, aws: Aws, stack: str, wait: Callable[[float], None] = time.sleep) -> None:
        self._aws, self._stack, self._wait = aws, stack, wait

    @contextmanager
    def pause_consumers(self) -> Iterator[int]:
        """Stop the delivery of the service's queues to its functions: messages wait, and use up none of their receives.
        Yields how many queues that are. Raises StackError."""
        running = [mapping for mapping in self._mappings() if self._state(mapping) in {"Enabled", "Enabling"}]
        try:
            for mapping in running:
                self._switch(mapping, on=False)
            waited = 0.0
            while active := [mapping for mapping in running if self._state(mapping) != "Disabled"]:
                if waited >= PAUSE_SECONDS:
                    raise StackError(
                        f"{len(active)} queues of {self._stack} are not Disabled after {PAUSE_SECONDS:.0f} s"
                    )
                self._wait(STEP_SECONDS)
                waited += STEP_SECONDS
            yield len(running)
        finally:
            self._resume(running)

    def lift(self, arn: str) -> int:
        """Undo what a killed command has left: the table takes writes again, and every queue is delivered. Returns how
        many queues were paused. Raises StackError."""
        self.open(arn)
        paused = [mapping for mapping in self._mappings() if self._state(mapping) in {"Disabled", "Disabling"}]
        self._resume(paused)
        return len(paused)

    def close(self, arn: str) -> None:
        """Refuse all writes to the table. Raises StackError."""
        deny = {"Sid": "ExchangedByRestore", "Effect": "Deny", "Principal": "*", "Action": WRITES, "Resource": arn}
        policy = json.dumps({"Version": "2012-10-17", "Statement": [deny]})
        with _translate_errors(arn):
            self._aws.client("dynamodb").put_resource_policy(ResourceArn=arn, Policy=policy)

    def open(self, arn: str) -> None:
        """Take writes to the table again; fine if it does already. Raises StackError."""
        with _translate_errors(arn):
            try:
                self._aws.client("dynamodb").delete_resource_policy(ResourceArn=arn)
            except ClientError as error:
                if error.response["Error"]["Code"] != "PolicyNotFoundException":
                    raise

    def _mappings(self) -> list[str]:
        with _translate_errors(self._stack):
            paginator = self._aws.client("cloudformation").get_paginator("list_stack_resources")
            pages = paginator.paginate(StackName=self._stack)
            resources: list[dict[str, Any]] = [each for page in pages for each in page["StackResourceSummaries"]]
        return [each["PhysicalResourceId"] for each in resources if each["ResourceType"] == MAPPING]

    def _state(self, mapping: str) -> str:
        with _translate_errors(mapping):
            return str(self._aws.client("lambda").get_event_source_mapping(UUID=mapping)["State"])

    def _switch(self, mapping: str, *, on: bool) -> None:
        with _translate_errors(mapping):
            self._aws.client("lambda").update_event_source_mapping(UUID=mapping, Enabled=on)

    def _resume(self, mappings: list[str]) -> None:
        """Resume each of them, also when another is refused. Raises StackError, the last refusal."""
        refusal: StackError | None = None
        for mapping in mappings:
            # Lambda refuses while an earlier change of the same mapping is under way.
            for attempt in range(RESUME_TRIES):
                try:
                    self._switch(mapping, on=True)
                    break
                except StackError as error:
                    if attempt == RESUME_TRIES - 1:
                        refusal = error
                    else:
                        self._wait(STEP_SECONDS)
        if refusal:
            raise refusal


@contextmanager
def _translate_errors(subject: str) -> Iterator[None]:
    try:
        yield
    except (ClientError, BotoCoreError) as error:
        raise StackError(f"AWS refuses for {subject}: {error}") from error
