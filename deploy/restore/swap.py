"""The swap of a service's table: the change from one table to another, and back, is one stack update."""

import hashlib
import json
from typing import Any

from deploy.errors import RefusedError
from deploy.restore.recovery import Recovery
from deploy.restore.write_fence import WriteFence
from deploy.stage.change_set import Deployed
from deploy.stage.command import Command
from deploy.stage.health import check_health
from deploy.stage.stacks import SETTLED
from deploy.template import Template, render
from deploy.template.table import TABLE, TABLE_PARAMETER

VERSION, ALIAS = "AWS::Lambda::Version", "AWS::Lambda::Alias"


def stack_of(command: Command, service: str) -> Deployed:
    """The service's stack. Raises RefusedError if its table cannot be swapped."""
    name = command.environment.target.names.stack(service)
    now = command.environment.stacks.current(name)
    if now is None:
        raise RefusedError(f"{service} is not deployed in stage {command.environment.target.stage}")
    if now.status not in SETTLED:
        raise RefusedError(f"stack {name} is {now.status}: wait until that ends, or fix the stack")
    if TABLE_PARAMETER not in now.parameters:
        raise RefusedError(f"stack {name} is from a version without swaps of tables; deploy {service} once first")
    return now


def table_properties(now: Deployed) -> dict[str, Any]:
    """The table's properties in the deployed template."""
    properties: dict[str, Any] = json.loads(now.body)["Resources"][TABLE]["Properties"]
    return properties


def refuse_stranger(recovery: Recovery, now: Deployed, table: str) -> dict[str, Any]:
    """The description of `table`. Raises RefusedError unless it exists and has this service's name, keys and GSIs."""
    own = table_properties(now)
    if table != own["TableName"] and not table.startswith(f"{own['TableName']}-"):
        raise RefusedError(f"{table} is not a table of this service: its tables are {own['TableName']}[-...]")
    description = recovery.describe(table)
    if description is None or description["TableStatus"] != "ACTIVE":
        status = description["TableStatus"] if description else "it does not exist"
        raise RefusedError(f"the table {table} cannot be used ({status})")
    indexes = {index["IndexName"] for index in description.get("GlobalSecondaryIndexes", [])}
    wanted = {index["IndexName"] for index in own.get("GlobalSecondaryIndexes", [])}
    if not wanted <= indexes or description["KeySchema"] != own["KeySchema"]:
        raise RefusedError(f"{table} lacks keys or indexes of the template ({', '.join(sorted(wanted - indexes))})")
    return description


def swap(command: Command, service: str, now: Deployed, table: str, recovery: Recovery, fence: WriteFence) -> int:
    """Make the stack use `table`. Meanwhile nobody can write, and queues wait. Returns how many functions answered.

    Raises StackError, or UnhealthyError from the check; then the table used before is used again.
    """
    old = now.parameters[TABLE_PARAMETER]
    arns = {name: (recovery.describe(name) or {}).get("TableArn", "") for name in (old, table)}
    with fence.pause_consumers() as queues:
        command.console.progress(f"{queues} queues wait; {old} takes no more writes")
        try:
            if arns[old]:
                fence.close(arns[old])
            fence.open(arns[table])
            _use(command, service, now, table)
            return check_health(command.environment.aws, json.loads(now.body))
        except BaseException:
            command.console.progress(f"it failed; {service} goes back to {old}")
            if arns[old]:
                fence.open(arns[old])
            _use(command, service, now, old)
            raise


def with_table(body: Template, table: str) -> Template:
    """The template with new versions of its functions, because a version keeps its variables. They are shifted at once,
    because two versions would work on two tables."""
    text, digest = json.dumps(body), hashlib.sha256(table.encode()).hexdigest()[:8]
    for logical_id, resource in body["Resources"].items():
        if resource["Type"] == VERSION:
            text = text.replace(f'"{logical_id}"', f'"{logical_id}T{digest}"').replace(
                f"${{{logical_id}.", f"${{{logical_id}T{digest}."
            )
    changed: Template = json.loads(text)
    for resource in changed["Resources"].values():
        if resource["Type"] == ALIAS:
            resource.pop("UpdatePolicy", None)
    return changed


def _use(command: Command, service: str, now: Deployed, table: str) -> None:
    environment = command.environment
    stack, bucket = environment.target.names.stack(service), environment.platform_outputs()["ArtifactBucket"]
    before = now.parameters[TABLE_PARAMETER]
    body = now.body if table == before else render(with_table(json.loads(now.body), table))
    planned = environment.stacks.plan(
        stack, body, parameters=now.parameters | {TABLE_PARAMETER: table}, bucket=bucket, tags=now.tags
    )
    if planned:
        environment.stacks.execute(planned, listener=command.console.event)
