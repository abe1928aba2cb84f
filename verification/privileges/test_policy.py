"""Policies are decided as IAM decides them."""

import pytest

from verification.privileges.policy import Request, grants, is_allowed

PUBLISH = {
    "Effect": "Allow",
    "Action": ["events:PutEvents"],
    "Resource": "arn:bus",
    "Condition": {"StringEquals": {"events:source": "tenfold.tasks"}},
}


@pytest.mark.parametrize(
    ("action", "resource", "expected"),
    [
        ("s3:GetObject", "arn:aws:s3:::b/org_1/x", True),
        ("S3:getobject", "arn:aws:s3:::b/x", True),
        ("s3:GetObject", "arn:aws:s3:::b", False),
        ("s3:GetObject", "arn:aws:s3:::bb/x", False),
        ("s3:PutObject", "arn:aws:s3:::b/x", False),
        ("s3:GetObjectVersion", "arn:aws:s3:::b/x", False),
        ("s3:GetObject", "ARN:aws:s3:::b/x", False),
    ],
)
def test_actions_and_resources(action: str, resource: str, expected: bool) -> None:
    granted = grants([{"Effect": "Allow", "Action": "s3:GetObject", "Resource": ["arn:aws:s3:::b/*"]}])
    assert is_allowed(granted, Request(action, resource)) == expected


def test_a_condition_must_hold_and_its_key_must_exist() -> None:
    granted, request = grants([PUBLISH]), Request("events:PutEvents", "arn:bus")
    assert is_allowed(granted, request.with_context({"events:source": "tenfold.tasks"}))
    assert not is_allowed(granted, request.with_context({"events:source": "tenfold.files"}))
    assert not is_allowed(granted, request)


def test_null_checks_whether_a_key_exists() -> None:
    statement = {"Effect": "Allow", "Action": "kms:Decrypt", "Resource": "*", "Condition": {"Null": {"org": "false"}}}
    granted, request = grants([statement]), Request("kms:Decrypt", "arn:key")
    assert is_allowed(granted, request.with_context({"org": ""}))
    assert not is_allowed(granted, request)


@pytest.mark.parametrize("more", [{"Effect": "Deny"}, {"NotAction": "s3:*"}])
def test_an_unsupported_statement_is_an_error(more: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="plain Allows"):
        grants([{**PUBLISH, **more}])
    unsupported = grants([{**PUBLISH, "Condition": {"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}}])
    with pytest.raises(ValueError, match="IpAddress"):
        is_allowed(unsupported, Request("events:PutEvents", "arn:bus"))
