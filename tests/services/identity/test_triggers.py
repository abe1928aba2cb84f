import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import botocore.session
import jwt
import pytest
from moto import mock_aws

from chassis.storage.attribute_values import to_item
from contracts.common import Role
from services.identity.triggers import usecases as triggers
from services.identity.triggers.repository import dynamodb_client
from tests.services.identity.conftest import EMAIL, Identity

HEAVY = {"aiohttp", "boto3", "cryptography", "fastapi", "faststream", "jwt", "opentelemetry", "pydantic", "structlog"}


@pytest.fixture
def dynamodb(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    monkeypatch.setenv("TENFOLD_TABLE", "identity")
    for name, value in {"ACCESS_KEY_ID": "x", "SECRET_ACCESS_KEY": "x", "DEFAULT_REGION": "us-east-1"}.items():
        monkeypatch.setenv(f"AWS_{name}", value)
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    with mock_aws():
        dynamodb_client.cache_clear()
        client: Any = botocore.session.get_session().create_client("dynamodb")
        client.create_table(
            TableName="identity",
            KeySchema=[{"AttributeName": "PK", "KeyType": "HASH"}, {"AttributeName": "SK", "KeyType": "RANGE"}],
            AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in ("PK", "SK")],
            BillingMode="PAY_PER_REQUEST",
        )
        yield client
    dynamodb_client.cache_clear()


def event(user_id: str) -> dict[str, Any]:
    """As Cognito sends it. Its `sub` is a UUID; ours need not be for what is tested here."""
    attributes = {"sub": user_id.removeprefix("user_"), "email": "from@provider.example", "name": "Provider"}
    return {
        "triggerSource": "TokenGeneration_Authentication",
        "request": {"userAttributes": attributes},
        "response": {},
    }


def claims(answer: dict[str, Any], kind: str = "access") -> dict[str, str]:
    details = answer["response"]["claimsAndScopeOverrideDetails"]
    added: dict[str, str] = details[f"{kind}TokenGeneration"]["claimsToAddOrOverride"]
    return added


async def test_claims_come_from_the_rows_that_the_service_stores(identity: Identity, dynamodb: Any) -> None:
    user_id = await identity.register()
    await identity.join(user_id, "org_a", Role.MANAGER, version=4)
    for item in identity.table.items.values():
        dynamodb.put_item(TableName="identity", Item=to_item(item))
    answer = triggers.add_claims(event(user_id), None)
    signed_in = jwt.decode(await identity.token(), options={"verify_signature": False})
    expected = {"user_id": user_id, "email": EMAIL, "name": "Ada", "org": "org_a", "role": "manager", "mv": "4"}
    assert claims(answer) == expected
    assert {name: str(signed_in[name]) for name in expected} == expected  # the development provider says the same
    assert claims(answer, "id") == {name: value for name, value in expected.items() if name not in {"email", "name"}}
    assert answer["triggerSource"] == "TokenGeneration_Authentication"


def test_all_pages_are_read(dynamodb: Any) -> None:
    """A row after the first megabyte counts as much as those before."""
    padding = "x" * 300_000
    for number in range(5):
        row = {"PK": "USER#user_ada#ACCOUNT", "SK": f"MEMBERSHIP#org_{number}", "id": f"org_{number}"}
        last = number == 4
        values = {"role": "admin", "active": last, "version": number, "padding": padding}
        dynamodb.put_item(TableName="identity", Item=to_item({**row, **values}))
    assert claims(triggers.add_claims(event("user_ada"), None))["org"] == "org_4"


def test_a_new_person_gets_a_token_without_an_organization(dynamodb: Any) -> None:
    assert claims(triggers.add_claims(event("user_new"), None)) == {
        "user_id": "user_new",
        "email": "from@provider.example",
        "name": "Provider",
    }


def test_no_token_without_the_table(dynamodb: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TENFOLD_TABLE", "not-there")
    with pytest.raises(Exception, match="ResourceNotFoundException"):
        triggers.add_claims(event("user_ada"), None)


def test_a_cold_start_imports_little() -> None:
    code = "import sys, services.identity.triggers.usecases; print(*{name.split('.')[0] for name in sys.modules})"
    process = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert "botocore" in process.stdout.split()
    assert HEAVY.isdisjoint(process.stdout.split())
