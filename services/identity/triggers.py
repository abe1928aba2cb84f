"""The Lambda that Cognito calls for each token. It imports little, because a person waits for its cold start."""

import os
from collections.abc import Iterator
from functools import cache
from typing import Any

import botocore.session
from botocore.config import Config

from chassis.storage.attribute_values import from_item
from services.identity.account import partition_of, token_claims, user_id_of

OWN_TO_ID_TOKENS = frozenset({"email", "name"})
"""An ID token has these of Cognito itself."""


def add_claims(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    """PreTokenGeneration V2_0: puts who the user is, and in which organization and role, into the tokens.

    Whatever it raises makes Cognito refuse the token: none is better than one with old or missing claims.
    """
    attributes = event["request"]["userAttributes"]
    user_id = user_id_of(attributes["sub"])
    rows = _rows(os.environ["TENFOLD_TABLE"], partition_of(user_id))
    claims = token_claims(user_id, rows, email=attributes.get("email", ""), name=attributes.get("name", ""))
    for_id_token = {name: value for name, value in claims.items() if name not in OWN_TO_ID_TOKENS}
    event["response"] = {
        "claimsAndScopeOverrideDetails": {
            "accessTokenGeneration": {"claimsToAddOrOverride": claims},
            "idTokenGeneration": {"claimsToAddOrOverride": for_id_token},
        }
    }
    return event


def _rows(table: str, partition: str) -> Iterator[dict[str, Any]]:
    pages = (
        _dynamodb()
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
def _dynamodb() -> Any:
    """One client for the life of the process. Cognito waits five seconds for all of this."""
    config = Config(connect_timeout=1, read_timeout=2, retries={"mode": "standard", "total_max_attempts": 2})
    return botocore.session.get_session().create_client("dynamodb", config=config)
