"""Calls with odd values, for comparisons of what goes over the wire."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

TIME = datetime(2026, 3, 1, 12, 30, 15, tzinfo=UTC)
EAST = timezone(timedelta(hours=5, minutes=45))
VALUES: dict[str, Any] = {
    "PK": {"S": 'ORG#ä#\u2028#🙂\\"/\t\x00\x1f\x7f</script>'},
    "n": {"N": "-1.5E+100"},
    "long": {"N": "12345678901234567890123456789012345678"},
    "blob": {"B": bytes(range(256))},
    "view": {"B": bytearray(b"\x00view")},
    "empty": {"B": b""},
    "nothing": {"M": {}},
    "none": {"L": []},
    "word": {"S": "null"},
    "sets": {"M": {"b": {"BS": [b"a", b"\xff"]}, "s": {"SS": ["x"]}, "n": {"NS": ["1", "2"]}}},
    "list": {"L": [{"NULL": True}, {"BOOL": False}, {"L": [{"B": b"deep"}]}]},
    "a.b c/ä": {"S": ""},
}
CONDITION = {"ConditionExpression": "attribute_not_exists(PK)", "ReturnValuesOnConditionCheckFailure": "ALL_OLD"}
ATTRIBUTES = {
    "b": {"DataType": "Binary", "BinaryValue": b"\x00"},
    "s": {"DataType": "String", "StringValue": "ä"},
}
URL = "https://sqs.eu-central-1.amazonaws.com/1/n"
CALLS: list[tuple[str, str, dict[str, Any]]] = [
    ("dynamodb", "PutItem", {"TableName": "table", "Item": VALUES, **CONDITION}),
    ("dynamodb", "GetItem", {"TableName": "table", "Key": {"PK": {"B": b"k"}}, "ConsistentRead": True}),
    (
        "dynamodb",
        "Query",
        {
            "TableName": "table",
            "KeyConditionExpression": "PK = :p",
            "ExpressionAttributeValues": {":p": {"S": "a"}},
            "ExclusiveStartKey": {"PK": {"S": "a"}},
            "ScanIndexForward": False,
            "Limit": 2,
        },
    ),
    (
        "dynamodb",
        "UpdateItem",
        {
            "TableName": "table",
            "Key": {"PK": {"S": "a"}},
            "UpdateExpression": "ADD #n :one",
            "ExpressionAttributeNames": {"#n": "n"},
            "ExpressionAttributeValues": {":one": {"N": "1"}},
        },
    ),
    (
        "dynamodb",
        "TransactWriteItems",
        {"TransactItems": [{"Put": {"TableName": "table", "Item": VALUES}}], "ClientRequestToken": "token"},
    ),
    ("dynamodb", "TransactGetItems", {"TransactItems": ({"Get": {"TableName": "t", "Key": {"PK": {"S": "a"}}}},)}),
    ("dynamodb", "BatchWriteItem", {"RequestItems": {"table": [{"PutRequest": {"Item": VALUES}}]}}),
    ("dynamodb", "ListTables", {}),
    ("sqs", "ReceiveMessage", {"QueueUrl": URL, "MaxNumberOfMessages": 10, "MessageAttributeNames": ["All"]}),
    ("sqs", "SendMessage", {"QueueUrl": URL, "MessageBody": "ä🙂\x00", "MessageAttributes": ATTRIBUTES}),
    ("sqs", "DeleteMessageBatch", {"QueueUrl": URL, "Entries": [{"Id": "0", "ReceiptHandle": "AQEB/+="}]}),
    ("events", "PutEvents", {"Entries": [{"Source": "s", "Detail": '{"a": "ä"}', "Time": TIME}]}),
    ("events", "PutEvents", {"Entries": [{"Time": TIME.astimezone(EAST)}, {"Time": TIME.replace(tzinfo=None)}]}),
    (
        "events",
        "PutEvents",
        {"Entries": [{"Time": TIME + timedelta(microseconds=1)}, {"Time": TIME + timedelta(microseconds=250_000)}]},
    ),
    ("kms", "Encrypt", {"KeyId": "k", "Plaintext": b"\x00secret", "EncryptionContext": {"org": "ä"}}),
    ("kms", "GenerateDataKey", {"KeyId": "k", "KeySpec": "AES_256"}),
    (
        "cognito-idp",
        "InitiateAuth",
        {"ClientId": "c", "AuthFlow": "USER_PASSWORD_AUTH", "AuthParameters": {"USERNAME": "u"}},
    ),
    ("cognito-idp", "AdminGetUser", {"UserPoolId": "eu-central-1_a", "Username": "u"}),
    ("ssm", "GetParametersByPath", {"Path": "/a", "Recursive": True}),
    ("secretsmanager", "PutSecretValue", {"SecretId": "s", "SecretBinary": b"\x01", "ClientRequestToken": "t" * 32}),
    ("stepfunctions", "StartExecution", {"stateMachineArn": "arn:aws:states:::m", "input": '{"ä": 1}'}),
    ("kinesis", "PutRecord", {"StreamName": "s", "Data": b"\x00\xff", "PartitionKey": "ä"}),
    (
        "logs",
        "PutLogEvents",
        {"logGroupName": "g", "logStreamName": "s", "logEvents": [{"timestamp": 1, "message": "ä"}]},
    ),
    (
        "partnercentral-selling",
        "ListOpportunities",
        {
            "Catalog": "AWS",
            "LastModifiedDate": {
                "AfterLastModifiedDate": TIME.astimezone(EAST),
                "BeforeLastModifiedDate": TIME + timedelta(microseconds=5),
            },
        },
    ),
]
