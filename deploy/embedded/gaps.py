"""Does after an embedded deploy what the embedded CloudFormation leaves out in silence."""

from botocore.exceptions import ClientError

from deploy.aws import Aws
from deploy.errors import EmulatorError
from deploy.template import Template


def fill_gaps(aws: Aws, template: Template) -> None:
    """Switch on each table's time to live, which the embedded AWS honours by its API but ignores in a template.

    Raises EmulatorError if it refuses.
    """
    tables = [one["Properties"] for one in template["Resources"].values() if one["Type"] == "AWS::DynamoDB::Table"]
    for table in tables:
        if "TimeToLiveSpecification" not in table:
            continue
        try:
            aws.client("dynamodb").update_time_to_live(
                TableName=table["TableName"], TimeToLiveSpecification=table["TimeToLiveSpecification"]
            )
        except ClientError as error:
            raise EmulatorError(
                f"the embedded AWS refuses the time to live of {table['TableName']}: {error}"
            ) from error
