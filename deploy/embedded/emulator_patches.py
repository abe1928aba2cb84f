"""Patches after a deployment to the embedded AWS: what its CloudFormation silently ignores, or refuses."""

from botocore.exceptions import ClientError

from chassis.declare.resource_names import Names
from deploy.aws import Aws
from deploy.errors import EmulatorError
from deploy.template import Template
from deploy.template.history import archive_request

ON = frozenset({"ENABLED", "ENABLING"})


def fill_gaps(aws: Aws, template: Template) -> None:
    """Switch on each table's time to live, which the embedded AWS honours by its API but ignores in a template; create
    the archive of the bus, which it has by its API and refuses in a template.

    Raises EmulatorError if it refuses.
    """
    dynamodb, events = aws.client("dynamodb"), aws.client("events")
    for resource in template["Resources"].values():
        properties = resource.get("Properties", {})
        try:
            if resource["Type"] == "AWS::DynamoDB::Table" and "TimeToLiveSpecification" in properties:
                name, wanted = properties["TableName"], properties["TimeToLiveSpecification"]
                now = dynamodb.describe_time_to_live(TableName=name)["TimeToLiveDescription"]["TimeToLiveStatus"]
                if now not in ON:  # an AWS that honours the template refuses to switch it on twice
                    dynamodb.update_time_to_live(TableName=name, TimeToLiveSpecification=wanted)
            elif resource["Type"] == "AWS::Events::EventBus":
                bus = events.describe_event_bus(Name=properties["Name"])
                events.create_archive(**archive_request(Names(properties["Name"].removeprefix("tenfold-")), bus["Arn"]))
        except events.exceptions.ResourceAlreadyExistsException:
            pass  # the archive of an earlier deployment, with its events
        except ClientError as error:
            name = properties.get("TableName") or properties.get("Name")
            raise EmulatorError(
                f"the embedded AWS refuses the time to live or the archive of {name}: {error}"
            ) from error
