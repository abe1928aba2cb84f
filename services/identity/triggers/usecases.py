"""Handlers of Cognito's triggers. They import little, because a person waits for their cold start."""

import os
from typing import Any

from services.identity.memberships.claims import partition_of, token_claims, user_id_of
from services.identity.triggers.repository import read_rows

OWN_TO_ID_TOKENS = frozenset({"email", "name"})
"""Claims that Cognito itself puts into an ID token."""


def add_claims(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    """PreTokenGeneration V2_0: put the user's id, organization and role into the tokens.

    Whatever it raises makes Cognito refuse the token: no token is better than one with old or missing claims.
    """
    attributes = event["request"]["userAttributes"]
    user_id = user_id_of(attributes["sub"])
    rows = read_rows(os.environ["TENFOLD_TABLE"], partition_of(user_id))
    claims = token_claims(user_id, rows, email=attributes.get("email", ""), name=attributes.get("name", ""))
    for_id_token = {name: value for name, value in claims.items() if name not in OWN_TO_ID_TOKENS}
    event["response"] = {
        "claimsAndScopeOverrideDetails": {
            "accessTokenGeneration": {"claimsToAddOrOverride": claims},
            "idTokenGeneration": {"claimsToAddOrOverride": for_id_token},
        }
    }
    return event
