"""Patches after a deployment to the embedded AWS: what its CloudFormation silently ignores, or refuses."""

from typing import Any

from botocore.exceptions import ClientError

from chassis.declare.resource_names import Names
from deploy.stage.aws import Aws
from deploy.stage.errors import EmulatorError
from deploy.template import Template
from deploy.template.history import archive_request

ON = frozenset({"ENABLED", "ENABLING"})


def fill_gaps(aws: Aws, template: Template) -> None:
    """Switch on each table's time to live, which the embedded AWS honours by its API but ignores in a template; create
    the archive of the bus, which it has by its API and refuses in a template.

    Raises EmulatorError if it refuses.
    """
    for resource in template["Resources"].values():
        properties = resource.get("Properties", {})
        if resource["Type"] == "AWS::DynamoDB::Table" and "TimeToLiveSpecification" in properties:
            _switch_on_time_to_live(aws, properties)
        elif resource["Type"] == "AWS::Events::EventBus":
            _create_archive(aws, properties["Name"])


def _switch_on_time_to_live(aws: Aws, table: dict[str, Any]) -> None:
    name, dynamodb = table["TableName"], aws.client("dynamodb")
    try:
        now = dynamodb.describe_time_to_live(TableName=name)["TimeToLiveDescription"]["TimeToLiveStatus"]
        if now not in ON:  # an AWS that honours the template refuses to switch it on twice
            dynamodb.update_time_to_live(TableName=name, TimeToLiveSpecification=table["TimeToLiveSpecification"])
    except ClientError as error:
        raise EmulatorError(f"the embedded AWS refuses the time to live of {name}: {error}") from error


def _create_archive(aws: Aws, bus: str) -> None:
    events = aws.client("events")
    try:
        request = archive_request(Names(bus.removeprefix("tenfold-")), events.describe_event_bus(Name=bus)["Arn"])
        events.create_archive(**request)
    except events.exceptions.ResourceAlreadyExistsException:
        return  # of an earlier deployment, with its events
    except ClientError as error:
        raise EmulatorError(f"the embedded AWS refuses the archive of {bus}: {error}") from error
