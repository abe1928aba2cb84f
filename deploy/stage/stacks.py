"""Brings a CloudFormation stack to a template by a change set: see it, run it, and say why if it failed."""

import hashlib
import json
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from deploy.stage.aws import Aws
from deploy.stage.errors import StackError
from deploy.template import render

CAPABILITIES = ["CAPABILITY_IAM", "CAPABILITY_NAMED_IAM"]
MAX_BODY_BYTES = 51_200
"""A larger template must be read from S3."""
DONE = frozenset({"CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS", "IMPORT_COMPLETE"})
NEVER_LIVED = frozenset({"ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "CREATE_FAILED"})
SETTLED = DONE | {"UPDATE_ROLLBACK_COMPLETE"}
NO_CHANGE = ("didn't contain changes", "no updates are to be performed", "no changes")


@dataclass(frozen=True)
class ChangeSet:
    """What a deploy would do. `changes` are CloudFormation's own ResourceChange objects."""

    stack: str
    name: str
    creates: bool
    changes: tuple[dict[str, Any], ...]


StackEventListener = Callable[[dict[str, Any]], None]
"""Gets CloudFormation's own StackEvent objects, oldest first."""


def _silently(_event: dict[str, Any]) -> None:
    pass


@dataclass(frozen=True)
class Deployed:
    """A stack as it is: enough to bring it back."""

    status: str
    body: str
    parameters: dict[str, str]
    tags: dict[str, str]
    changed_at: datetime | None


class Stacks:
    """The stacks of one AWS. Safe from several threads for different stacks."""

    def __init__(self, aws: Aws) -> None:
        self._aws = aws
        self._cloudformation = aws.client("cloudformation")

    def deploy(
        self, stack: str, body: str, *, parameters: Mapping[str, str] | None = None, bucket: str | None = None,
        tags: Mapping[str, str] | None = None, seconds: float = 900,
    ) -> dict[str, str]:  # fmt: skip
        """Bring `stack` to the template `body` and return its outputs; quick when nothing differs.

        `bucket` is where a template over CloudFormation's inline limit is put. Raises StackError, with the first
        cause, if CloudFormation refuses or undoes it or is not done in `seconds`.
        """
        planned = self.plan(stack, body, parameters=parameters, bucket=bucket, tags=tags)
        if planned:
            self.execute(planned, seconds=seconds)
        return self.outputs(stack)

    def plan(
        self, stack: str, body: str, *, parameters: Mapping[str, str] | None = None, bucket: str | None = None,
        tags: Mapping[str, str] | None = None, adopt: bool = False,
    ) -> ChangeSet | None:  # fmt: skip
        """Create the change set; None if there is nothing to change. With `adopt` it takes over what exists under the
        names of its resources and belongs to no stack, if the template would keep it. Raises StackError."""
        with _explained(stack):
            creates = self._make_ready(stack)
            digest = hashlib.sha256((body + repr(sorted((parameters or {}).items()))).encode()).hexdigest()
            name = f"t-{digest[:16]}-{time.time_ns() // 1_000_000}"
            self._cloudformation.create_change_set(
                StackName=stack,
                ChangeSetName=name,
                ChangeSetType="CREATE" if creates else "UPDATE",
                Capabilities=CAPABILITIES,
                ImportExistingResources=adopt,
                Parameters=[
                    {"ParameterKey": key, "ParameterValue": value} for key, value in (parameters or {}).items()
                ],
                Tags=[{"Key": key, "Value": value} for key, value in (tags or {}).items()],
                **self._template(stack, body, bucket),
            )
            return self._await_plan(stack, name, creates)

    def execute(self, planned: ChangeSet, *, seconds: float = 900, told: StackEventListener = _silently) -> None:
        """Run a change set and wait; `told` of each event of the stack. Raises StackError with the first failed event
        if it is undone."""
        with _explained(planned.stack):
            known = {event["EventId"] for event in self._newest(planned.stack)}
            self._cloudformation.execute_change_set(StackName=planned.stack, ChangeSetName=planned.name)
            status = self._await_stack(planned.stack, seconds, lambda: self._tell(planned.stack, known, told))
            if status not in DONE:
                raise StackError(f"stack {planned.stack} is {status}: {self._first_failure(planned.stack)}")

    def discard(self, planned: ChangeSet) -> None:
        """Forget a change set, and with it the empty stack that one for a new stack made. Raises StackError."""
        with _explained(planned.stack):
            self._cloudformation.delete_change_set(StackName=planned.stack, ChangeSetName=planned.name)
            if planned.creates:
                self._cloudformation.delete_stack(StackName=planned.stack)

    def current(self, stack: str) -> Deployed | None:
        """What the stack is now; None if there is none, or none that ever lived. Raises StackError."""
        with _explained(stack):
            found = self._describe(stack)
            if found is None or found["StackStatus"] in {"REVIEW_IN_PROGRESS", "DELETE_COMPLETE"}:
                return None
            body = self._cloudformation.get_template(StackName=stack, TemplateStage="Original")["TemplateBody"]
            return Deployed(
                status=found["StackStatus"],
                body=body if isinstance(body, str) else render(body),  # boto3 parses what is JSON
                parameters={one["ParameterKey"]: one["ParameterValue"] for one in found.get("Parameters", [])},
                tags={one["Key"]: one["Value"] for one in found.get("Tags", [])},
                changed_at=found.get("LastUpdatedTime") or found.get("CreationTime"),
            )

    def parameters(self, stack: str) -> dict[str, str]:
        """The parameters of a stack; none if there is no such stack. Raises StackError."""
        with _explained(stack):
            found = self._describe(stack) or {}
            return {one["ParameterKey"]: one["ParameterValue"] for one in found.get("Parameters", [])}

    def names(self, prefix: str) -> list[str]:
        """The stacks that there are whose names begin with `prefix`. Raises StackError."""
        with _explained(prefix):
            pages = self._cloudformation.get_paginator("describe_stacks").paginate()
            found = [one for page in pages for one in page["Stacks"] if one["StackStatus"] != "DELETE_COMPLETE"]
            return sorted(one["StackName"] for one in found if one["StackName"].startswith(prefix))

    def owner(self, physical_id: str) -> str | None:
        """The stack that a resource belongs to; None if it belongs to none. Raises StackError."""
        with _explained(physical_id):
            if self._aws.endpoint_url:  # an embedded AWS answers by the stack's name only
                return next((one for one in self.names("") if physical_id in self._physical_ids(one)), None)
            try:
                found = self._cloudformation.describe_stack_resources(PhysicalResourceId=physical_id)["StackResources"]
            except ClientError as error:
                if "does not exist" in error.response["Error"].get("Message", ""):
                    return None
                raise
            return str(found[0]["StackName"]) if found else None

    def _physical_ids(self, stack: str) -> set[str]:
        found = self._cloudformation.describe_stack_resources(StackName=stack)["StackResources"]
        return {one.get("PhysicalResourceId", "") for one in found}

    def retained(self, stack: str) -> list[tuple[str, str]]:
        """Types and physical ids of what stays when the stack is deleted; none of a stack that is gone. Raises
        StackError."""
        now = self.current(stack)
        if now is None:
            return []
        declared = json.loads(now.body)["Resources"]
        with _explained(stack):
            found = self._cloudformation.describe_stack_resources(StackName=stack)["StackResources"]
        return [
            (one["ResourceType"], one["PhysicalResourceId"]) for one in found
            if declared.get(one["LogicalResourceId"], {}).get("DeletionPolicy", "").startswith("Retain")
            and one.get("PhysicalResourceId")
        ]  # fmt: skip

    def _newest(self, stack: str) -> list[dict[str, Any]]:
        events: list[dict[str, Any]] = self._cloudformation.describe_stack_events(StackName=stack)["StackEvents"]
        return events

    def _tell(self, stack: str, known: set[str], told: StackEventListener) -> None:
        for event in reversed(self._newest(stack)):
            if event["EventId"] not in known:
                known.add(event["EventId"])
                told(event)

    def outputs(self, stack: str) -> dict[str, str]:
        """The outputs of a stack. Raises StackError if there is no such stack."""
        found = self._describe(stack)
        if found is None:
            raise StackError(f"there is no stack {stack}; deploy it first")
        return {output["OutputKey"]: output["OutputValue"] for output in found.get("Outputs", [])}

    def delete(self, stack: str, *, seconds: float = 900) -> None:
        """Delete a stack and wait until it is gone; what its template retains stays. Raises StackError."""
        with _explained(stack):
            self._cloudformation.delete_stack(StackName=stack)
            status = self._await_stack(stack, seconds)
            if status is not None and status != "DELETE_COMPLETE":
                raise StackError(f"stack {stack} is {status}: {self._first_failure(stack)}")

    def _make_ready(self, stack: str) -> bool:
        """Whether the stack must be created; one whose creation failed is taken away first."""
        found = self._describe(stack)
        status = found["StackStatus"] if found else None
        if status in NEVER_LIVED:
            self.delete(stack)
            return True
        if status is None or status in {"REVIEW_IN_PROGRESS", "DELETE_COMPLETE"}:
            return True
        if status not in SETTLED:
            raise StackError(f"stack {stack} is {status}: wait until that ends, or repair it, then deploy again")
        return False

    def _template(self, stack: str, body: str, bucket: str | None) -> dict[str, str]:
        if len(body.encode()) <= MAX_BODY_BYTES:
            return {"TemplateBody": body}
        if bucket is None:
            raise StackError(f"the template of {stack} is larger than {MAX_BODY_BYTES} bytes and needs a bucket")
        key = f"templates/{stack}/{hashlib.sha256(body.encode()).hexdigest()}.json"
        s3 = self._aws.client("s3")
        s3.put_object(Bucket=bucket, Key=key, Body=body.encode())
        return {"TemplateURL": f"{s3.meta.endpoint_url}/{bucket}/{key}"}

    def _await_plan(self, stack: str, name: str, creates: bool) -> ChangeSet | None:
        for _ in _until(300):
            seen = self._cloudformation.describe_change_set(StackName=stack, ChangeSetName=name)
            if seen["Status"] == "CREATE_COMPLETE":
                return ChangeSet(stack, name, creates, tuple(self._changes(stack, name, seen)))
            if seen["Status"] == "FAILED":
                self._cloudformation.delete_change_set(StackName=stack, ChangeSetName=name)
                reason = seen.get("StatusReason", "no reason given")
                if any(words in reason.lower() for words in NO_CHANGE):
                    return None
                raise StackError(f"CloudFormation refuses the change of {stack}: {reason}")
        raise StackError(f"the change set of {stack} was not ready in 300 s")

    def _changes(self, stack: str, name: str, page: dict[str, Any]) -> Iterator[dict[str, Any]]:
        while True:
            yield from (change["ResourceChange"] for change in page.get("Changes", []) if "ResourceChange" in change)
            token = page.get("NextToken")
            if not token:
                return
            page = self._cloudformation.describe_change_set(StackName=stack, ChangeSetName=name, NextToken=token)

    def _await_stack(self, stack: str, seconds: float, look: Callable[[], None] = lambda: None) -> str | None:
        """The status it settles in; None once it is gone. `look` is called in between."""
        for _ in _until(seconds):
            found = self._describe(stack)
            if found is not None:
                look()
            status: str | None = found["StackStatus"] if found else None
            if status is None or status in DONE or not status.endswith("_IN_PROGRESS"):
                return status
        raise StackError(f"stack {stack} is still not settled after {seconds:.0f} s; look at its events")

    def _describe(self, stack: str) -> dict[str, Any] | None:
        try:
            found: dict[str, Any] = self._cloudformation.describe_stacks(StackName=stack)["Stacks"][0]
        except ClientError as error:
            if "does not exist" in error.response["Error"].get("Message", ""):
                return None
            raise
        return found

    def _first_failure(self, stack: str) -> str:
        """The event that began it: of the last change, the oldest failure that is no mere consequence."""
        cause = "no failed event was recorded"
        pages = self._cloudformation.get_paginator("describe_stack_events").paginate(StackName=stack)
        for event in (event for page in pages for event in page["StackEvents"]):  # newest first
            status, reason = event["ResourceStatus"], event.get("ResourceStatusReason", "")
            if status.endswith("_FAILED") and "cancelled" not in reason.lower():
                cause = f"{event['LogicalResourceId']} ({event['ResourceType']}) {status}: {reason}"
            if reason == "User Initiated":
                break
        return cause


@contextmanager
def _explained(stack: str) -> Iterator[None]:
    try:
        yield
    except ClientError as error:
        problem = error.response["Error"]
        raise StackError(f"AWS refuses {error.operation_name} of {stack}: {problem.get('Message', problem)}") from error
    except BotoCoreError as error:
        raise StackError(f"cannot reach AWS for {stack}: {error}") from error


def _until(seconds: float) -> Iterator[None]:
    """Attempts until the deadline, with pauses that grow from 10 ms (an embedded AWS) to 3 s (the real one)."""
    deadline, pause = time.monotonic() + seconds, 0.01
    while True:
        yield
        if time.monotonic() + pause > deadline:
            return
        time.sleep(pause)
        pause = min(pause * 1.5, 3.0)
