"""The embedded AWS carries our templates: deployed, used, stopped, started again."""

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jwt
import pytest

from chassis.declare.service import Service
from deploy.embedded.emulator import Emulator, emulator_venv
from deploy.embedded.emulator_mailbox import parse_mailbox
from deploy.embedded.emulator_patches import fill_gaps
from deploy.embedded.ports import free_port, is_free
from deploy.errors import EmulatorError, StackError
from deploy.package.packaging import interpreter_of, package
from deploy.stage.artifacts import upload
from deploy.stage.stacks import Stacks
from deploy.template import Target, Template, environment_variables_of, platform_template, render, service_template

pytestmark = pytest.mark.ministack


@pytest.fixture
def emulator(tmp_path: Path) -> Iterator[Emulator]:
    with Emulator(tmp_path / "state") as emulator:
        yield emulator


def deploy(emulator: Emulator, demo: Service, target: Target, built: Path) -> tuple[dict[str, str], Template]:
    stacks = Stacks(emulator.aws)
    shared = stacks.deploy("tenfold-test-platform", render(platform_template(target)))
    bucket, template = shared["ArtifactBucket"], service_template(demo, target)
    parameters = {"CodeBucket": bucket, "CodeKey": upload(emulator.aws, bucket, "demo", built)}
    outputs = stacks.deploy("tenfold-test-demo", render(template), parameters=parameters, bucket=bucket)
    fill_gaps(emulator.aws, template)
    return outputs, template


def receive(emulator: Emulator, queue: str) -> dict[str, Any]:
    """The body of the next message; fails after ten seconds."""
    sqs, deadline = emulator.aws.client("sqs"), time.monotonic() + 10
    url = sqs.get_queue_url(QueueName=queue)["QueueUrl"]
    while time.monotonic() < deadline:
        for message in sqs.receive_message(QueueUrl=url, WaitTimeSeconds=1).get("Messages", []):
            sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
            body: dict[str, Any] = json.loads(message["Body"])
            return body
    raise AssertionError(f"nothing arrived on {queue}")


def publish(emulator: Emulator, note: str) -> None:
    entry = {
        "EventBusName": "tenfold-test",
        "Source": "tenfold.demo",
        "DetailType": "demo.thing.happened.v1",
        "Detail": json.dumps({"orgid": "org_1", "data": {"thing_id": "1", "note": note}}),
    }
    assert emulator.aws.client("events").put_events(Entries=[entry])["FailedEntryCount"] == 0


def sign_in(emulator: Emulator, client_id: str) -> str:
    """The org in a new access token."""
    answer = emulator.aws.client("cognito-idp").initiate_auth(
        ClientId=client_id,
        AuthFlow="USER_PASSWORD_AUTH",
        AuthParameters={"USERNAME": "ann@demo.example", "PASSWORD": "Passw0rd!x"},
    )
    token = answer["AuthenticationResult"]["AccessToken"]
    return str(jwt.decode(token, options={"verify_signature": False})["org"])


def test_a_stack_works_and_survives_a_stop(
    emulator: Emulator, demo: Service, target: Target, cache: Path, system_root: Path
) -> None:
    built = package("demo", interpreter_of(emulator_venv()), cache / "packages", root=system_root)
    outputs, _ = deploy(emulator, demo, target, built)
    variables = environment_variables_of(outputs)
    s3, dynamodb = emulator.aws.client("s3"), emulator.aws.client("dynamodb")

    publish(emulator, "first")
    assert receive(emulator, "tenfold-test-demo-things")["detail"]["data"]["note"] == "first"
    s3.put_object(Bucket=variables["UPLOADS_BUCKET"], Key="org_1/a file.txt", Body=b"hello")
    event = receive(emulator, "tenfold-test-demo-uploads")
    assert event["source"] == "aws.s3"
    assert event["detail"]["object"].keys() == {"key", "size", "etag", "sequencer"}
    assert event["detail"]["object"]["key"] == "org_1/a file.txt"

    ttl = dynamodb.describe_time_to_live(TableName=outputs["TableName"])["TimeToLiveDescription"]
    assert ttl == {"TimeToLiveStatus": "ENABLED", "AttributeName": "expires_at"}
    row = {"PK": {"S": "USER#1"}, "SK": {"S": "ROW"}, "org": {"S": "org_1"}}
    dynamodb.put_item(TableName=outputs["TableName"], Item=row)
    sign_up(emulator, variables["USER_POOL_CLIENT_ID"])
    assert sign_in(emulator, variables["USER_POOL_CLIENT_ID"]) == "org_1"

    port = emulator.port
    emulator.stop()
    assert is_free(port)
    emulator.start()
    assert emulator.port == port
    assert deploy(emulator, demo, target, built)[0] == outputs
    key = {"PK": row["PK"], "SK": row["SK"]}
    assert emulator.aws.client("dynamodb").get_item(TableName=outputs["TableName"], Key=key)["Item"] == row
    stored = emulator.aws.client("s3").get_object(Bucket=variables["UPLOADS_BUCKET"], Key="org_1/a file.txt")
    assert stored["Body"].read() == b"hello"
    assert sign_in(emulator, variables["USER_POOL_CLIENT_ID"]) == "org_1"
    publish(emulator, "second")
    assert receive(emulator, "tenfold-test-demo-things")["detail"]["data"]["note"] == "second"


def sign_up(emulator: Emulator, client_id: str) -> None:
    cognito, address = emulator.aws.client("cognito-idp"), "ann@demo.example"
    attributes = [{"Name": "email", "Value": address}]
    cognito.sign_up(ClientId=client_id, Username=address, Password="Passw0rd!x", UserAttributes=attributes)
    (mail,) = [mail for mail in emulator.mailbox() if mail.to == (address,)]
    code = mail.text.rstrip(".").rsplit(" ", 1)[1]
    cognito.confirm_sign_up(ClientId=client_id, Username=address, ConfirmationCode=code)


def test_a_failed_change_names_its_first_cause(emulator: Emulator) -> None:
    stacks = Stacks(emulator.aws)
    unknown = render({"Resources": {"Thing": {"Type": "AWS::Nothing::Thing"}}})
    with pytest.raises(StackError, match="AWS::Nothing::Thing"):
        stacks.deploy("tenfold-test-broken", unknown)
    missing = {
        "Type": "AWS::Events::Rule",
        "Properties": {"EventBusName": "arn:wrong", "EventPattern": {"source": ["a"]}},
    }
    with pytest.raises(StackError, match="Rule"):
        stacks.deploy("tenfold-test-broken", render({"Resources": {"Rule": missing}}))
    good = render({"Resources": {"Queue": {"Type": "AWS::SQS::Queue"}}})
    assert stacks.deploy("tenfold-test-broken", good) == {}
    assert stacks.plan("tenfold-test-broken", good) is None
    stacks.delete("tenfold-test-broken")
    with pytest.raises(StackError, match="deploy it first"):
        stacks.outputs("tenfold-test-broken")


def test_the_mailbox_gives_back_what_the_body_carries(emulator: Emulator) -> None:
    ses = emulator.aws.client("sesv2")
    ses.create_email_identity(EmailIdentity="demo.example")
    html = '<html><head><meta name="x-event-id" content="a&amp;b"></head><b>Hi</b></html>'
    body = {"Text": {"Data": "Hi"}, "Html": {"Data": html}}
    ses.send_email(
        FromEmailAddress="hello@demo.example",
        Destination={"ToAddresses": ["ann@demo.example"]},
        Content={"Simple": {"Subject": {"Data": "Grüße"}, "Body": body}},
    )
    (mail,) = emulator.mailbox()
    assert (mail.subject, mail.to, mail.text, mail.html) == ("Grüße", ("ann@demo.example",), "Hi", html)
    assert mail.meta("X-Event-Id") == "a&b"
    assert mail.meta("other") is None


def test_a_dead_emulator_says_so(tmp_path: Path) -> None:
    emulator = Emulator(tmp_path)
    emulator.start()
    emulator.aws.client("sts").get_caller_identity()
    assert emulator._process
    emulator._process.kill()
    emulator._process.wait(10)
    with pytest.raises(EmulatorError, match="died with code -9"):
        emulator.check()
    with pytest.raises(EmulatorError, match="is it running"):
        emulator.mailbox()
    with emulator:
        emulator.check()


def test_a_port_in_use_is_named(tmp_path: Path) -> None:
    with Emulator(tmp_path / "one") as first, pytest.raises(EmulatorError, match=f"port {first.port} .* in use"):
        Emulator(tmp_path / "two", port=first.port).start()


def test_a_missing_environment_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(EmulatorError, match="make setup"):
        Emulator(tmp_path, venv=tmp_path / "none", port=free_port()).start()


def test_an_empty_mailbox() -> None:
    assert parse_mailbox({"messages": {}}) == []
