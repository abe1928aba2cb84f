"""The service's one table."""

from chassis.names import index_name
from chassis.service import Service
from deploy.template.base import Target, Template

TABLE = "Table"
TTL_ATTRIBUTE = "expires_at"


def table(service: Service, target: Target) -> Template:
    """The table resource. It is kept when the stack goes, because data outlives its infrastructure."""
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
    if not target.local:  # there nothing reads a stream, and a developer may start over
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


def _schema(partition: str, sort: str) -> list[Template]:
    return [{"AttributeName": partition, "KeyType": "HASH"}, {"AttributeName": sort, "KeyType": "RANGE"}]
