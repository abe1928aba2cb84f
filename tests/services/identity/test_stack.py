"""The template: assertions on what the embedded AWS does not exercise."""

from typing import Any

import pytest

from chassis.declare.resource_names import Names
from chassis.declare.stack import StackContext, StackPart
from services.identity.accounts.model import MIN_PASSWORD
from services.identity.errors import PASSWORD_RULE
from services.identity.stack import resources


@pytest.fixture
def part() -> StackPart:
    return resources(StackContext(Names("prod"), "identity", local=False))


def properties(part: StackPart, logical_id: str) -> dict[str, Any]:
    declared: dict[str, Any] = part.resources[logical_id]["Properties"]
    return declared


def test_the_pool_outlives_the_stack(part: StackPart) -> None:
    pool = part.resources["UserPool"]
    assert (pool["DeletionPolicy"], pool["UpdateReplacePolicy"]) == ("RetainExceptOnCreate", "Retain")
    assert pool["Properties"]["DeletionProtection"] == "ACTIVE"


def test_addresses_are_confirmed_before_they_count(part: StackPart) -> None:
    pool = properties(part, "UserPool")
    assert pool["UsernameAttributes"] == pool["AutoVerifiedAttributes"] == ["email"]
    assert pool["UserAttributeUpdateSettings"] == {"AttributesRequireVerificationBeforeUpdate": ["email"]}


def test_the_policy_is_the_rule_that_people_are_told(part: StackPart) -> None:
    policy = properties(part, "UserPool")["Policies"]["PasswordPolicy"]
    assert policy == {
        "MinimumLength": MIN_PASSWORD,
        "RequireLowercase": True,
        "RequireUppercase": True,
        "RequireNumbers": True,
        "RequireSymbols": False,
    }
    assert f"at least {MIN_PASSWORD} characters" in PASSWORD_RULE


def test_the_trigger_may_be_called_by_its_pool_alone(part: StackPart) -> None:
    arn = {"Fn::GetAtt": ["UserPool", "Arn"]}
    trigger = part.functions["AddClaims"]
    assert (trigger.invoker, trigger.invoker_arn) == ("cognito-idp.amazonaws.com", arn)
    config = properties(part, "UserPool")["LambdaConfig"]["PreTokenGenerationConfig"]
    assert config == {"LambdaVersion": "V2_0", "LambdaArn": {"Fn::GetAtt": ["AddClaims", "Arn"]}}


def test_tokens_live_as_long_as_the_client_is_told(part: StackPart) -> None:
    client = properties(part, "UserPoolClient")
    assert (client["AccessTokenValidity"], client["RefreshTokenValidity"]) == (8, 24)
    assert set(client["TokenValidityUnits"].values()) == {"hours"}
    assert client["EnableTokenRevocation"] is True
    assert client["PreventUserExistenceErrors"] == "ENABLED"


def test_others_find_the_issuer_by_parameters(part: StackPart) -> None:
    names = {part.resources[each]["Properties"]["Name"] for each in ("PoolParameter", "ClientParameter")}
    assert names == {"/tenfold/prod/auth/user-pool-id", "/tenfold/prod/auth/client-id"}


def test_the_process_may_look_users_up_and_nothing_else(part: StackPart) -> None:
    [statement] = part.statements
    assert statement["Action"] == ["cognito-idp:AdminGetUser"]
    assert statement["Resource"] == {"Fn::GetAtt": ["UserPool", "Arn"]}
