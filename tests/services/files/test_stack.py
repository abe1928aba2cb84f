"""The bucket as the template asks for it, and as the embedded AWS makes it: from an upload to the queue."""

import json
import time
from typing import Any

import httpx
import pytest

from chassis.aws.client import Aws
from chassis.testing.service import ServiceUnderTest
from contracts.files import v1 as events
from deploy.embedded.emulator import Emulator
from deploy.stage.stacks import Stacks
from deploy.template import Target, environment_variables_of, render, service_template
from services.files.adapters.s3 import S3ObjectStore
from services.files.ports import Inspector, ObjectStore
from services.files.service import service
from services.files.uploads.consumers import objects
from tests.services.files.fakes import FakeInspector

PNG = b"\x89PNG\r\n\x1a\n" + b"x" * 50


def template(*, local: bool) -> dict[str, Any]:
    return service_template(service, Target("test", local=local))


def test_the_bucket_is_closed_encrypted_versioned_and_kept() -> None:
    bucket = template(local=False)["Resources"]["Bucket"]
    properties = bucket["Properties"]
    assert (bucket["DeletionPolicy"], bucket["UpdateReplacePolicy"]) == ("Retain", "Retain")
    assert all(properties["PublicAccessBlockConfiguration"].values())
    assert len(properties["PublicAccessBlockConfiguration"]) == 4
    [encryption] = properties["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    assert encryption["ServerSideEncryptionByDefault"]["SSEAlgorithm"] == "AES256"
    assert properties["VersioningConfiguration"]["Status"] == "Enabled"
    assert properties["NotificationConfiguration"]["EventBridgeConfiguration"]["EventBridgeEnabled"]
    multiparts, noncurrent = properties["LifecycleConfiguration"]["Rules"]
    assert multiparts["AbortIncompleteMultipartUpload"]["DaysAfterInitiation"] == 1
    # What hides a confirmed original is deleted by an event that may wait for 4 + 14 days.
    assert noncurrent["NoncurrentVersionExpiration"]["NoncurrentDays"] > 18


def test_only_tls_reaches_the_bucket() -> None:
    [statement] = template(local=False)["Resources"]["BucketPolicy"]["Properties"]["PolicyDocument"]["Statement"]
    assert (statement["Effect"], statement["Condition"]) == ("Deny", {"Bool": {"aws:SecureTransport": "false"}})
    assert "BucketPolicy" not in template(local=True)["Resources"]


def test_the_service_may_use_its_own_bucket_only() -> None:
    document = template(local=False)["Resources"]["ProcessPolicy"]["Properties"]["PolicyDocument"]
    statements = [each for each in document["Statement"] if any(action.startswith("s3:") for action in each["Action"])]
    assert [each["Resource"] for each in statements] == [
        {"Fn::Sub": "${Bucket.Arn}/*"},
        {"Fn::GetAtt": ["Bucket", "Arn"]},
    ]
    assert not [action for each in statements for action in each["Action"] if "*" in action]


@pytest.mark.ministack
async def test_an_upload_becomes_an_event_that_confirms_it(emulator: Emulator) -> None:
    """The form, the bucket, its notification, the rule with its suffix, the adapter and the handler, all real."""
    stacks = Stacks(emulator.aws)
    made = environment_variables_of(stacks.deploy("tenfold-test-files", render(template(local=True))))
    aws = Aws("us-east-1", emulator.endpoint_url)
    store = S3ObjectStore(aws, made["FILES_BUCKET"])
    files = ServiceUnderTest(service, ports={ObjectStore: store, Inspector: FakeInspector()})
    async with files.client() as client, httpx.AsyncClient() as browser:
        body = {"name": "a.png", "content_type": "image/png", "size": len(PNG)}
        given = (await client.post("/v1/files", json=body)).json()
        form = given["upload"]
        answer = await browser.post(form["url"], data=form["fields"], files={"file": PNG})
        assert answer.status_code == 204
        await store.put(f"org_acme/{given['id']}/thumbnail.webp", b"derived", content_type="image/webp")
        [event] = receive(emulator, "tenfold-test-files-objects", wait_for=1)
        await files.deliver_raw(objects, event)
        await files.deliver_raw(objects, event, receive_count=2)
        address = (await client.get(f"/v1/files/{given['id']}/download")).json()
        assert (await browser.get(address["url"])).content == PNG
    [uploaded] = await files.published_events(events.FileUploaded)
    assert uploaded.data["file_id"] == given["id"]
    await aws.close()


def receive(emulator: Emulator, queue: str, *, wait_for: int, seconds: float = 10) -> list[dict[str, Any]]:
    """The messages in `queue`: polls until there are `wait_for`, and once more, which must get none."""
    sqs = emulator.aws.client("sqs")
    url = sqs.get_queue_url(QueueName=queue)["QueueUrl"]
    bodies: list[dict[str, Any]] = []
    deadline = time.monotonic() + seconds
    while len(bodies) < wait_for and time.monotonic() < deadline:
        messages = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, WaitTimeSeconds=1).get("Messages", [])
        bodies += [json.loads(message["Body"]) for message in messages]
    more = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, WaitTimeSeconds=0).get("Messages", [])
    return bodies + [json.loads(message["Body"]) for message in more]
