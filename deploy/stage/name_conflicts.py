"""Name conflicts of new resources. AWS would fail half-way; the embedded one would silently replace what exists."""

from typing import Any

from botocore.exceptions import ClientError

from deploy.aws import Aws
from deploy.errors import RefusedError, StackError
from deploy.stage.change_set import ChangeSet
from deploy.stage.stacks import Stacks
from deploy.template import Template

TABLE = "AWS::DynamoDB::Table"
NAMES = {
    TABLE: "TableName",
    "AWS::Lambda::Function": "FunctionName",
    "AWS::SQS::Queue": "QueueName",
}
MISSING = ("NotFound", "NonExistentQueue", "QueueDoesNotExist")


def refuse_taken_names(aws: Aws, stacks: Stacks, planned: ChangeSet, template: Template) -> None:
    """Raises RefusedError, naming its owner, if a resource that the change adds has the name of one that exists."""
    for change in planned.changes:
        kind = change["ResourceType"]
        if change["Action"] != "Add" or kind not in NAMES:
            continue
        resource = template["Resources"].get(change["LogicalResourceId"], {})
        name = resource.get("Properties", {}).get(NAMES[kind])
        existing = _physical_id(aws, kind, name) if isinstance(name, str) else None
        if existing is not None and (owner := stacks.owner(existing)) != planned.stack:
            if owner:
                raise RefusedError(f"{kind} {name} exists already and belongs to the stack {owner}; rename one of them")
            remedy = "ADOPT=1 takes it over with all its data" if kind == TABLE else "remove it first"
            raise RefusedError(
                f"{kind} {name} exists already and belongs to no stack (one that was destroyed kept it); {remedy}"
            )


def _physical_id(aws: Aws, kind: str, name: str) -> str | None:
    """The resource's physical id in CloudFormation; None if it does not exist. Raises StackError."""
    try:
        if kind == TABLE:
            aws.client("dynamodb").describe_table(TableName=name)
        elif kind == "AWS::Lambda::Function":
            aws.client("lambda").get_function_configuration(FunctionName=name)
        else:
            return str(aws.client("sqs").get_queue_url(QueueName=name)["QueueUrl"])
    except ClientError as error:
        code: Any = error.response["Error"].get("Code", "")
        if any(part in str(code) for part in MISSING):
            return None
        raise StackError(f"cannot see whether {kind} {name} exists: {error}") from error
    return name
