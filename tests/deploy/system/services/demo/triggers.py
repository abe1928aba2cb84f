import os
from typing import Any

import boto3


def pre_token(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Claims from the service's own table, as the real trigger takes them."""
    item = boto3.client("dynamodb").get_item(
        TableName=os.environ["TABLE_NAME"], Key={"PK": {"S": "USER#1"}, "SK": {"S": "ROW"}}
    )["Item"]
    override = {"claimsToAddOrOverride": {"org": item["org"]["S"]}}
    event["response"] = {"claimsAndScopeOverrideDetails": {"accessTokenGeneration": override}}
    return event
