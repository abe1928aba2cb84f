"""Keeps a service from its table while that is exchanged: its consumers pause, and the old table takes no writes."""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from deploy.stage.aws import Aws
from deploy.stage.errors import StackError

MAPPING = "AWS::Lambda::EventSourceMapping"
WRITES = ["dynamodb:BatchWriteItem", "dynamodb:DeleteItem", "dynamodb:PutItem", "dynamodb:UpdateItem"]
PAUSE_SECONDS = 180.0
STEP_SECONDS = 2.0
RESUME_TRIES = 10


class Fence:
    """Of one service's stack. `wait` waits some seconds."""

    def __init__(self, aws: Aws, stack: str, wait: Callable[[float], None] = time.sleep) -> None:
        self._aws, self._stack, self._wait = aws, stack, wait

    @contextmanager
    def paused(self) -> Iterator[int]:
        """No function receives messages of the service's queues: they wait there, and no attempt of theirs is used up.
        Yields how many queues that are. Raises StackError."""
        running = [one for one in self._mappings() if self._state(one) in {"Enabled", "Enabling"}]
        try:
            for mapping in running:
                self._switch(mapping, on=False)
            self._until(running, "Disabled")
            yield len(running)
        finally:
            self._resume(running)

    def lift(self, arn: str) -> int:
        """What a command that was killed in between left behind is undone: the table takes writes, and every queue is
        read. Returns how many queues were not. Raises StackError."""
        self.open(arn)
        waiting = [one for one in self._mappings() if self._state(one) in {"Disabled", "Disabling"}]
        self._resume(waiting)
        return len(waiting)

    def close(self, arn: str) -> None:
        """The table takes no more writes, whoever sends them. Raises StackError."""
        deny = {"Sid": "ExchangedByRestore", "Effect": "Deny", "Principal": "*", "Action": WRITES, "Resource": arn}
        policy = json.dumps({"Version": "2012-10-17", "Statement": [deny]})
        with _explained(arn):
            self._aws.client("dynamodb").put_resource_policy(ResourceArn=arn, Policy=policy)

    def open(self, arn: str) -> None:
        """The table takes writes again; fine if it did. Raises StackError."""
        with _explained(arn):
            try:
                self._aws.client("dynamodb").delete_resource_policy(ResourceArn=arn)
            except ClientError as error:
                if error.response["Error"]["Code"] != "PolicyNotFoundException":
                    raise

    def _mappings(self) -> list[str]:
        with _explained(self._stack):
            pages = (
                self._aws.client("cloudformation").get_paginator("list_stack_resources").paginate(StackName=self._stack)
            )
            found: list[dict[str, Any]] = [one for page in pages for one in page["StackResourceSummaries"]]
        return [one["PhysicalResourceId"] for one in found if one["ResourceType"] == MAPPING]

    def _state(self, mapping: str) -> str:
        with _explained(mapping):
            return str(self._aws.client("lambda").get_event_source_mapping(UUID=mapping)["State"])

    def _switch(self, mapping: str, *, on: bool) -> None:
        with _explained(mapping):
            self._aws.client("lambda").update_event_source_mapping(UUID=mapping, Enabled=on)

    def _resume(self, mappings: list[str]) -> None:
        """Each of them, also when one is refused. Raises StackError, of the last that was."""
        refused: StackError | None = None
        for mapping in mappings:
            try:
                self._persist(mapping)
            except StackError as error:
                refused = error
        if refused:
            raise refused

    def _persist(self, mapping: str) -> None:
        # Lambda refuses while an earlier change of the same mapping is under way.
        for _ in range(RESUME_TRIES - 1):
            try:
                return self._switch(mapping, on=True)
            except StackError:
                self._wait(STEP_SECONDS)
        return self._switch(mapping, on=True)

    def _until(self, mappings: list[str], state: str) -> None:
        waited = 0.0
        while wrong := [one for one in mappings if self._state(one) != state]:
            if waited >= PAUSE_SECONDS:
                raise StackError(f"{len(wrong)} queues of {self._stack} are not {state} after {PAUSE_SECONDS:.0f} s")
            self._wait(STEP_SECONDS)
            waited += STEP_SECONDS


@contextmanager
def _explained(what: str) -> Iterator[None]:
    try:
        yield
    except (ClientError, BotoCoreError) as error:
        raise StackError(f"AWS refuses with {what}: {error}") from error
