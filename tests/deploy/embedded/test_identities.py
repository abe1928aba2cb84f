"""Policies translated for the embedded IAM: wider by what it does not know, and by nothing else."""

from typing import Any

from deploy.embedded.identities import translate


def of(**statement: Any) -> list[dict[str, Any]]:
    """The translation of one Allow, without what all statements have."""
    document = translate({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", **statement}]})
    assert document["Version"] == "2012-10-17"
    made: list[dict[str, Any]] = document["Statement"]
    assert all(each.pop("Effect") == "Allow" for each in made)
    return made


def test_what_it_knows_stays() -> None:
    known = {"Action": ["s3:GetObject"], "Resource": "arn:b/*", "Condition": {"StringEquals": {"aws:a": "b"}}}
    assert of(**known) == [known]


def test_a_condition_on_a_key_that_no_request_carries_is_left_out_and_no_other() -> None:
    tests = {
        "StringEquals": {"events:source": "tenfold.tasks", "aws:a": "b"},
        "Null": {"kms:EncryptionContext:x": "true"},
    }
    (made,) = of(Action=["events:PutEvents"], Resource="arn:bus", Condition=tests)
    assert made == {
        "Action": ["events:PutEvents"],
        "Resource": "arn:bus",
        "Condition": {"StringEquals": {"aws:a": "b"}},
    }


def test_batches_are_actions_there() -> None:
    (made,) = of(Action=["sqs:DeleteMessage", "sqs:ReceiveMessage"], Resource=["arn:q"])
    assert made == {
        "Action": ["sqs:DeleteMessage", "sqs:ReceiveMessage", "sqs:DeleteMessageBatch"],
        "Resource": ["arn:q"],
    }


def test_what_it_does_not_ask_of_a_resource_stands_apart() -> None:
    arn = "arn:aws:events:us-east-1:1:event-bus/tenfold-dev"
    assert of(Action=["events:PutEvents", "events:DescribeEventBus"], Resource=arn) == [
        {"Action": ["events:PutEvents"], "Resource": arn},
        {"Action": ["events:DescribeEventBus"], "Resource": ["arn:aws:events:*:*:rule/default/tenfold-dev"]},
    ]
    assert of(Action="ses:SendEmail", Resource=["arn:x"]) == [{"Action": ["ses:SendEmail"], "Resource": ["*"]}]


def test_twice_is_once() -> None:
    once = translate(
        {"Statement": [{"Effect": "Allow", "Action": ["sqs:SendMessage", "ssm:GetParameters"], "Resource": ["a"]}]}
    )
    assert translate(once) == once
