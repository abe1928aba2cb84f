"""CloudFormation stacks: plan a change set, run it, and report the cause if it fails."""

import hashlib
import json
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from deploy.aws import Aws
from deploy.errors import StackError
from deploy.stage.change_set import ChangeSet, Deployed, StackEventListener
from deploy.template import render

CAPABILITIES = ["CAPABILITY_IAM", "CAPABILITY_NAMED_IAM"]
MAX_BODY_BYTES = 51_200
"""A larger template must be read from S3."""
DONE = frozenset({"CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS", "IMPORT_COMPLETE"})
NEVER_LIVED = frozenset({"ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "CREATE_FAILED"})
SETTLED = DONE | {"UPDATE_ROLLBACK_COMPLETE"}
NO_CHANGE = ("didn't contain changes", "no updates are to be performed", "no changes")


class Stacks:
    """The stacks of one AWS. Safe from several threads for different stacks."""

    def __init__(self, aws: Aws) -> None:
        self._aws = aws
        self._cloudformation = aws.client("cloudformation")

    def deploy(
        self,
        stack: str,
        body: str,
        *,
        parameters: Mapping[str, str] | None = None,
        bucket: str | None = None,
        tags: Mapping[str, str] | None = None,
        seconds: float = 900,
    ) -> dict[str, str]:
        """Bring `stack` to the template `body` and return its outputs; quick when nothing differs.

        `bucket` is where a template over CloudFormation's inline limit is put. Raises StackError, with the first
        cause, if CloudFormation refuses or undoes it or is not done in `seconds`.
        """
        planned = self.plan(stack, body, parameters=parameters, bucket=bucket, tags=tags)
        if planned:
            self.execute(planned, seconds=seconds)
        return self.outputs(stack)

    def plan(
        self,
        stack: str,
        body: str,
        *,
        parameters: Mapping[str, str] | None = None,
        bucket: str | None = None,
        tags: Mapping[str, str] | None = None,
        adopt: bool = False,
    ) -> ChangeSet | None:
        """Create the change set; None if there is nothing to change. With `adopt` it takes over what exists under the
        names of its resources and belongs to no stack, if the template would keep it. Raises StackError."""
        with _translate_errors(stack):
            creates, template = self._make_ready(stack), {"TemplateBody": body}
            if len(body.encode()) > MAX_BODY_BYTES:
                if bucket is None:
                    raise StackError(f"the template of {stack} is larger than {MAX_BODY_BYTES} bytes; give a bucket")
                key, s3 = f"templates/{stack}/{hashlib.sha256(body.encode()).hexdigest()}.json", self._aws.client("s3")
                s3.put_object(Bucket=bucket, Key=key, Body=body.encode())
                template = {"TemplateURL": f"{s3.meta.endpoint_url}/{bucket}/{key}"}
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
                **template,
            )
            return self._await_plan(stack, name, creates)

    def execute(
        self, planned: ChangeSet, *, seconds: float = 900, listener: StackEventListener = lambda _: None
    ) -> None:
        """Run a change set and wait; `listener` gets each event of the stack. Raises StackError with the first failed
        event if it is undone."""
        with _translate_errors(planned.stack):
            known = {event["EventId"] for event in self._newest_events(planned.stack)}

            def pass_on_events() -> None:
                for event in reversed(self._newest_events(planned.stack)):
                    if event["EventId"] not in known:
                        known.add(event["EventId"])
                        listener(event)

            self._cloudformation.execute_change_set(StackName=planned.stack, ChangeSetName=planned.name)
            status = self._await_stack(planned.stack, seconds, pass_on_events)
            if status not in DONE:
                raise StackError(f"stack {planned.stack} is {status}: {self._first_failure(planned.stack)}")

    def discard(self, planned: ChangeSet) -> None:
        """Delete a change set, and the empty stack that a change set for a new stack has made. Raises StackError."""
        with _translate_errors(planned.stack):
            self._cloudformation.delete_change_set(StackName=planned.stack, ChangeSetName=planned.name)
            if planned.creates:
                self._cloudformation.delete_stack(StackName=planned.stack)

    def current(self, stack: str) -> Deployed | None:
        """The present state of the stack; None if there is none, or it was never created. Raises StackError."""
        with _translate_errors(stack):
            description = self._describe(stack)
            if description is None or description["StackStatus"] in {"REVIEW_IN_PROGRESS", "DELETE_COMPLETE"}:
                return None
            body = self._cloudformation.get_template(StackName=stack, TemplateStage="Original")["TemplateBody"]
            return Deployed(
                status=description["StackStatus"],
                body=body if isinstance(body, str) else render(body),  # boto3 parses what is JSON
                parameters=_parameters_of(description),
                tags={tag["Key"]: tag["Value"] for tag in description.get("Tags", [])},
                changed_at=description.get("LastUpdatedTime") or description.get("CreationTime"),
            )

    def parameters(self, stack: str) -> dict[str, str]:
        """The parameters of a stack; none if there is no such stack. Raises StackError."""
        with _translate_errors(stack):
            return _parameters_of(self._describe(stack) or {})

    def names(self, prefix: str) -> list[str]:
        """The names of the existing stacks that begin with `prefix`. Raises StackError."""
        with _translate_errors(prefix):
            pages = self._cloudformation.get_paginator("describe_stacks").paginate()
            existing = [each for page in pages for each in page["Stacks"] if each["StackStatus"] != "DELETE_COMPLETE"]
            return sorted(each["StackName"] for each in existing if each["StackName"].startswith(prefix))

    def owner(self, physical_id: str) -> str | None:
        """The stack that a resource belongs to; None if it belongs to none. Raises StackError."""
        with _translate_errors(physical_id):
            if self._aws.endpoint_url:  # an embedded AWS answers by the stack's name only
                for stack in self.names(""):
                    if any(each.get("PhysicalResourceId") == physical_id for each in self._resources(StackName=stack)):
                        return stack
                return None
            try:
                resources = self._resources(PhysicalResourceId=physical_id)
            except ClientError as error:
                if "does not exist" in error.response["Error"].get("Message", ""):
                    return None
                raise
            return str(resources[0]["StackName"]) if resources else None

    def retained_resources(self, stack: str) -> list[tuple[str, str]]:
        """Types and physical ids of the resources that stay when the stack is deleted; none for a stack that is gone.
        Raises StackError."""
        now = self.current(stack)
        if now is None:
            return []
        declared = json.loads(now.body)["Resources"]
        with _translate_errors(stack):
            resources = self._resources(StackName=stack)
        return [
            (each["ResourceType"], each["PhysicalResourceId"])
            for each in resources
            if declared.get(each["LogicalResourceId"], {}).get("DeletionPolicy", "").startswith("Retain")
            and each.get("PhysicalResourceId")
        ]

    def _resources(self, **by: str) -> list[dict[str, Any]]:
        resources: list[dict[str, Any]] = self._cloudformation.describe_stack_resources(**by)["StackResources"]
        return resources

    def _newest_events(self, stack: str) -> list[dict[str, Any]]:
        events: list[dict[str, Any]] = self._cloudformation.describe_stack_events(StackName=stack)["StackEvents"]
        return events

    def outputs(self, stack: str) -> dict[str, str]:
        """The outputs of a stack. Raises StackError if there is no such stack."""
        description = self._describe(stack)
        if description is None:
            raise StackError(f"there is no stack {stack}; deploy it first")
        return {output["OutputKey"]: output["OutputValue"] for output in description.get("Outputs", [])}

    def delete(self, stack: str, *, seconds: float = 900) -> None:
        """Delete a stack and wait until it is gone; what its template retains stays. Raises StackError."""
        with _translate_errors(stack):
            self._cloudformation.delete_stack(StackName=stack)
            status = self._await_stack(stack, seconds)
            if status is not None and status != "DELETE_COMPLETE":
                raise StackError(f"stack {stack} is {status}: {self._first_failure(stack)}")

    def _make_ready(self, stack: str) -> bool:
        """Whether the stack must be created; one whose creation failed is deleted first."""
        description = self._describe(stack)
        status = description["StackStatus"] if description else None
        if status in NEVER_LIVED:
            self.delete(stack)
            return True
        if status is None or status in {"REVIEW_IN_PROGRESS", "DELETE_COMPLETE"}:
            return True
        if status not in SETTLED:
            raise StackError(f"stack {stack} is {status}: wait until that ends, or fix the stack, then deploy again")
        return False

    def _await_plan(self, stack: str, name: str, creates: bool) -> ChangeSet | None:
        for _ in _until(300):
            page = self._cloudformation.describe_change_set(StackName=stack, ChangeSetName=name)
            if page["Status"] == "CREATE_COMPLETE":
                changes = list(page.get("Changes", []))
                while token := page.get("NextToken"):
                    page = self._cloudformation.describe_change_set(
                        StackName=stack, ChangeSetName=name, NextToken=token
                    )
                    changes += page.get("Changes", [])
                resources = (change["ResourceChange"] for change in changes if "ResourceChange" in change)
                return ChangeSet(stack, name, creates, tuple(resources))
            if page["Status"] == "FAILED":
                self._cloudformation.delete_change_set(StackName=stack, ChangeSetName=name)
                reason = page.get("StatusReason", "no reason given")
                if any(words in reason.lower() for words in NO_CHANGE):
                    return None
                raise StackError(f"CloudFormation refuses the change of {stack}: {reason}")
        raise StackError(f"the change set of {stack} was not ready in 300 s")

    def _await_stack(self, stack: str, seconds: float, look: Callable[[], None] = lambda: None) -> str | None:
        """The status it settles in; None once it is gone. `look` is called in between."""
        for _ in _until(seconds):
            description = self._describe(stack)
            if description is not None:
                look()
            status: str | None = description["StackStatus"] if description else None
            if status is None or status in DONE or not status.endswith("_IN_PROGRESS"):
                return status
        raise StackError(f"stack {stack} is still not settled after {seconds:.0f} s; look at its events")

    def _describe(self, stack: str) -> dict[str, Any] | None:
        try:
            description: dict[str, Any] = self._cloudformation.describe_stacks(StackName=stack)["Stacks"][0]
        except ClientError as error:
            if "does not exist" in error.response["Error"].get("Message", ""):
                return None
            raise
        return description

    def _first_failure(self, stack: str) -> str:
        """The first cause: of the last change, the oldest failed event that is not just a consequence of another."""
        cause = "no failed event was recorded"
        pages = self._cloudformation.get_paginator("describe_stack_events").paginate(StackName=stack)
        for event in (event for page in pages for event in page["StackEvents"]):  # newest first
            status, reason = event["ResourceStatus"], event.get("ResourceStatusReason", "")
            if status.endswith("_FAILED") and "cancelled" not in reason.lower():
                cause = f"{event['LogicalResourceId']} ({event['ResourceType']}) {status}: {reason}"
            if reason == "User Initiated":
                break
        return cause


def _parameters_of(description: dict[str, Any]) -> dict[str, str]:
    return {each["ParameterKey"]: each["ParameterValue"] for each in description.get("Parameters", [])}


@contextmanager
def _translate_errors(stack: str) -> Iterator[None]:
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
