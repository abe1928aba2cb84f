"""Delivery from the bus through a rule into a queue, alike in the simulation, in moto and in the embedded AWS."""

from collections.abc import Iterator, Mapping
from typing import Any

import boto3
import pytest
from moto import mock_aws

from deploy.aws import Aws
from deploy.embedded.emulator import Emulator
from verification.conformance.backends import MAX_RECEIVES, REGION, VISIBILITY, Backend, Boto3Backend, SimulatedBackend

ALL: dict[str, Any] = {"source": ["tenfold.tasks"]}


@pytest.fixture(scope="module")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    with Emulator(tmp_path_factory.mktemp("aws")) as running:
        yield running


@pytest.fixture(params=["simulation", "moto", pytest.param("ministack", marks=pytest.mark.ministack)])
def backend(request: pytest.FixtureRequest) -> Iterator[Backend]:
    if request.param == "simulation":
        yield SimulatedBackend()
    elif request.param == "moto":
        with mock_aws():
            session = boto3.Session(aws_access_key_id="test", aws_secret_access_key="test", region_name=REGION)
            yield Boto3Backend(session.client("events"), session.client("sqs"))
    else:
        aws: Aws = request.getfixturevalue("emulator").aws
        yield Boto3Backend(aws.client("events"), aws.client("sqs"))


def publish(backend: Backend, *numbers: int) -> None:
    for number in numbers:
        backend.publish("tenfold.tasks", "tasks.task.moved.v1", {"n": number})


@pytest.mark.parametrize(
    ("pattern", "taken"),
    [
        ({"source": ["tenfold.tasks"]}, {1, 2}),
        ({"source": ["tenfold.tasks"], "detail-type": ["tasks.task.moved.v1"]}, {1}),
        ({"source": ["tenfold.tasks", "tenfold.files"], "detail-type": ["a", "tasks.task.moved.v1"]}, {1}),
        ({"source": [{"prefix": "tenfold."}]}, {1, 2, 3}),
        ({"detail": {"object": {"key": [{"suffix": ".png"}]}}}, {4}),
        ({"detail": {"object": {"key": [{"prefix": "org_"}]}}}, {4}),
        ({"source": ["nobody"]}, set()),
    ],
    ids=str,
)
def test_a_rule_takes_what_its_pattern_says(backend: Backend, pattern: Mapping[str, Any], taken: set[int]) -> None:
    backend.rule(pattern)
    backend.publish("tenfold.tasks", "tasks.task.moved.v1", {"n": 1})
    backend.publish("tenfold.tasks", "tasks.task.created.v1", {"n": 2})
    backend.publish("tenfold.files", "files.file.uploaded.v1", {"n": 3})
    backend.publish("elsewhere", "Object Created", {"n": 4, "object": {"key": "org_acme/a.png"}})
    numbers: list[int] = []
    while len(numbers) < len(taken) and (received := backend.receive()):
        numbers += [each.body["detail"]["n"] for each in received]
    assert sorted(numbers) == sorted(taken)
    assert backend.receive(patient=False) == []


def test_a_message_contains_the_published_event(backend: Backend) -> None:
    backend.rule(ALL)
    publish(backend, 7)
    [message] = backend.receive()
    assert (message.body["source"], message.body["detail-type"], message.body["detail"], message.receives) == (
        "tenfold.tasks",
        "tasks.task.moved.v1",
        {"n": 7},
        1,
    )


def test_a_received_message_is_invisible_and_comes_again(backend: Backend) -> None:
    backend.rule(ALL)
    publish(backend, 1)
    [first] = backend.receive()
    assert backend.receive(patient=False) == []
    backend.wait(VISIBILITY + 0.2)
    [again] = backend.receive()
    assert (again.body["detail"], first.receives, again.receives) == ({"n": 1}, 1, 2)


def test_a_message_given_back_comes_at_once_and_a_hidden_one_later(backend: Backend) -> None:
    backend.rule(ALL)
    publish(backend, 1)
    [message] = backend.receive()
    backend.hide(message, 0)
    [again] = backend.receive()
    backend.hide(again, 60)
    assert backend.receive(patient=False) == []


def test_a_part_of_a_batch_that_is_not_settled_comes_again_alone(backend: Backend) -> None:
    backend.rule(ALL)
    publish(backend, 1, 2, 3)
    received = backend.receive()
    while len(received) < 3:
        received += backend.receive()
    for message in received:
        if message.body["detail"]["n"] == 2:
            backend.hide(message, 0)
        else:
            backend.delete(message)
    [again] = backend.receive()
    assert again.body["detail"] == {"n": 2}
    backend.delete(again)
    backend.wait(VISIBILITY + 0.2)
    assert backend.receive(patient=False) == []
    assert backend.dead_letters() == []


def test_after_its_last_receive_a_message_is_a_dead_letter(backend: Backend) -> None:
    backend.rule(ALL)
    publish(backend, 1)
    for expected in range(1, MAX_RECEIVES + 1):
        [message] = backend.receive()
        assert message.receives == expected
        assert backend.dead_letters() == []
        backend.hide(message, 0)
    assert backend.receive(patient=False) == []
    [dead_letter] = backend.dead_letters()
    assert dead_letter["detail"] == {"n": 1}
