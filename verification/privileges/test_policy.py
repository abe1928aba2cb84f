"""The small judge of policies: as IAM would."""

import pytest

from verification.privileges.policy import Request, allowed, grants

PUBLISH = {
    "Effect": "Allow",
    "Action": ["events:PutEvents"],
    "Resource": "arn:bus",
    "Condition": {"StringEquals": {"events:source": "tenfold.tasks"}},
}


@pytest.mark.parametrize(
    ("action", "resource", "may"),
    [
        ("s3:GetObject", "arn:aws:s3:::b/org_1/x", True), ("S3:getobject", "arn:aws:s3:::b/x", True),
        ("s3:GetObject", "arn:aws:s3:::b", False), ("s3:GetObject", "arn:aws:s3:::bb/x", False),
        ("s3:PutObject", "arn:aws:s3:::b/x", False), ("s3:GetObjectVersion", "arn:aws:s3:::b/x", False),
        ("s3:GetObject", "ARN:aws:s3:::b/x", False),
    ],
)  # fmt: skip
def test_actions_and_resources(action: str, resource: str, may: bool) -> None:
    granted = grants([{"Effect": "Allow", "Action": "s3:GetObject", "Resource": ["arn:aws:s3:::b/*"]}])
    assert allowed(granted, Request(action, resource)) == may


def test_a_condition_must_hold_and_its_key_be_there() -> None:
    granted, request = grants([PUBLISH]), Request("events:PutEvents", "arn:bus")
    assert allowed(granted, request.with_context({"events:source": "tenfold.tasks"}))
    assert not allowed(granted, request.with_context({"events:source": "tenfold.files"}))
    assert not allowed(granted, request)


def test_null_asks_whether_a_key_is_there() -> None:
    statement = {"Effect": "Allow", "Action": "kms:Decrypt", "Resource": "*", "Condition": {"Null": {"org": "false"}}}
    granted, request = grants([statement]), Request("kms:Decrypt", "arn:key")
    assert allowed(granted, request.with_context({"org": ""}))
    assert not allowed(granted, request)


@pytest.mark.parametrize("more", [{"Effect": "Deny"}, {"NotAction": "s3:*"}])
def test_what_it_does_not_understand_it_does_not_judge(more: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="plain Allows"):
        grants([{**PUBLISH, **more}])
    strange = grants([{**PUBLISH, "Condition": {"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}}])
    with pytest.raises(ValueError, match="IpAddress"):
        allowed(strange, Request("events:PutEvents", "arn:bus"))
