"""The service's one table."""

from chassis.declare.resource_names import index_name
from chassis.declare.service import Service
from deploy.template.base import Target, Template, sub

TABLE = "Table"
TABLE_PARAMETER = "TableName"
"""The parameter with the table in use: after a restore not always the stack's own, see docs/adr/0013."""
TTL_ATTRIBUTE = "expires_at"


def table(service: Service, target: Target) -> Template:
    """The table resource. It is kept when the stack is deleted, because data outlives its infrastructure."""
    keys = [("PK", "SK"), *((f"L{n}PK", f"L{n}SK") for n in range(1, service.table.indexes + 1))]
    properties: Template = {
        "TableName": target.names.table(service.name),
        "BillingMode": "PAY_PER_REQUEST",
        "AttributeDefinitions": [{"AttributeName": key, "AttributeType": "S"} for pair in keys for key in pair],
        "KeySchema": _schema(*keys[0]),
        "TimeToLiveSpecification": {"AttributeName": TTL_ATTRIBUTE, "Enabled": True},
        "PointInTimeRecoverySpecification": {"PointInTimeRecoveryEnabled": True},
        "SSESpecification": {"SSEEnabled": True},
    }
    if not target.local:  # on a laptop nothing reads a stream, and a developer may start over
        properties["StreamSpecification"] = {"StreamViewType": "NEW_AND_OLD_IMAGES"}
        properties["DeletionProtectionEnabled"] = True
    if service.table.indexes:
        properties["GlobalSecondaryIndexes"] = [
            {"IndexName": index_name(n), "KeySchema": _schema(*keys[n]), "Projection": {"ProjectionType": "ALL"}}
            for n in range(1, service.table.indexes + 1)
        ]
    return {
        TABLE: {
            "Type": "AWS::DynamoDB::Table",
            "DeletionPolicy": "RetainExceptOnCreate",
            "UpdateReplacePolicy": "Retain",
            "Properties": properties,
        }
    }


def table_parameter(service: Service, target: Target) -> Template:
    """The parameter that names the table in use."""
    default = target.names.table(service.name)
    return {TABLE_PARAMETER: {"Type": "String", "Default": default, "Description": "The table that the service uses"}}


def used_table(path: str = "") -> Template:
    """The ARN of the table in use, or of a part of it by `path`."""
    region = "${AWS::Partition}:dynamodb:${AWS::Region}:${AWS::AccountId}"
    return sub(f"arn:{region}:table/${{{TABLE_PARAMETER}}}{path}")


def _schema(partition: str, sort: str) -> list[Template]:
    return [{"AttributeName": partition, "KeyType": "HASH"}, {"AttributeName": sort, "KeyType": "RANGE"}]
