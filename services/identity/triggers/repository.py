"""The rows of an account, read by a trigger. It has no scope and no adapters, so that its cold start is short."""

from collections.abc import Iterator
from functools import cache
from typing import Any

import botocore.session
from botocore.config import Config

from chassis.storage.attribute_values import from_item


def read_rows(table: str, partition: str) -> Iterator[dict[str, Any]]:
    """All rows of the partition, by consistent reads. Raises botocore's errors."""
    pages = (
        dynamodb_client()
        .get_paginator("query")
        .paginate(
            TableName=table,
            KeyConditionExpression="PK = :pk",
            ExpressionAttributeValues={":pk": {"S": partition}},
            ConsistentRead=True,
        )
    )
    for page in pages:
        yield from map(from_item, page["Items"])


@cache  # unscoped(unscoped-cache): a client, which holds nobody's data
def dynamodb_client() -> Any:
    """One client for the life of the process. Cognito waits five seconds for the whole trigger."""
    config = Config(connect_timeout=1, read_timeout=2, retries={"mode": "standard", "total_max_attempts": 2})
    return botocore.session.get_session().create_client("dynamodb", config=config)
