"""Does after an embedded deploy what the embedded CloudFormation leaves out in silence, or refuses."""

from typing import Any

from botocore.exceptions import ClientError

from chassis.declare.resource_names import Names
from deploy.stage.aws import Aws
from deploy.stage.errors import EmulatorError
from deploy.template import Template
from deploy.template.history import archive_request

ON = frozenset({"ENABLED", "ENABLING"})


def fill_gaps(aws: Aws, template: Template) -> None:
    """Switch on each table's time to live, which the embedded AWS honours by its API but ignores in a template; give
    the bus its archive, which it has by its API and refuses in a template.

    Raises EmulatorError if it refuses.
    """
    for properties in _of_type(template, "AWS::DynamoDB::Table"):
        if "TimeToLiveSpecification" in properties:
            _keep_time_to_live(aws, properties)
    for properties in _of_type(template, "AWS::Events::EventBus"):
        _archive(aws, properties["Name"])


def _of_type(template: Template, kind: str) -> list[dict[str, Any]]:
    return [one["Properties"] for one in template["Resources"].values() if one["Type"] == kind]


def _keep_time_to_live(aws: Aws, table: dict[str, Any]) -> None:
    name, dynamodb = table["TableName"], aws.client("dynamodb")
    try:
        now = dynamodb.describe_time_to_live(TableName=name)["TimeToLiveDescription"]["TimeToLiveStatus"]
        if now not in ON:  # whoever honours it in a template refuses to be told twice
            dynamodb.update_time_to_live(TableName=name, TimeToLiveSpecification=table["TimeToLiveSpecification"])
    except ClientError as error:
        raise EmulatorError(f"the embedded AWS refuses the time to live of {name}: {error}") from error


def _archive(aws: Aws, bus: str) -> None:
    events = aws.client("events")
    try:
        request = archive_request(Names(bus.removeprefix("tenfold-")), events.describe_event_bus(Name=bus)["Arn"])
        events.create_archive(**request)
    except events.exceptions.ResourceAlreadyExistsException:
        return  # of an earlier deploy, with what it keeps
    except ClientError as error:
        raise EmulatorError(f"the embedded AWS refuses the archive of {bus}: {error}") from error
