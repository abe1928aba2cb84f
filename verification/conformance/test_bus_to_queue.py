"""From the bus through a rule into a queue: what the simulation does must be what moto and the embedded AWS do."""

from collections.abc import Iterator, Mapping
from typing import Any

import boto3
import pytest
from moto import mock_aws

from deploy.embedded.emulator import Emulator
from deploy.stage.aws import Aws
from verification.conformance.places import MAX_RECEIVES, REGION, VISIBILITY, Boto3Place, Place, SimulatedPlace

ALL: dict[str, Any] = {"source": ["tenfold.tasks"]}


@pytest.fixture(scope="module")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    with Emulator(tmp_path_factory.mktemp("aws")) as running:
        yield running


@pytest.fixture(params=["simulation", "moto", pytest.param("ministack", marks=pytest.mark.ministack)])
def place(request: pytest.FixtureRequest) -> Iterator[Place]:
    if request.param == "simulation":
        yield SimulatedPlace()
    elif request.param == "moto":
        with mock_aws():
            session = boto3.Session(aws_access_key_id="test", aws_secret_access_key="test", region_name=REGION)
            yield Boto3Place(session.client("events"), session.client("sqs"))
    else:
        aws: Aws = request.getfixturevalue("emulator").aws
        yield Boto3Place(aws.client("events"), aws.client("sqs"))


def publish(place: Place, *numbers: int) -> None:
    for number in numbers:
        place.publish("tenfold.tasks", "tasks.task.moved.v1", {"n": number})


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
def test_a_rule_takes_what_its_pattern_says(place: Place, pattern: Mapping[str, Any], taken: set[int]) -> None:
    place.rule(pattern)
    place.publish("tenfold.tasks", "tasks.task.moved.v1", {"n": 1})
    place.publish("tenfold.tasks", "tasks.task.created.v1", {"n": 2})
    place.publish("tenfold.files", "files.file.uploaded.v1", {"n": 3})
    place.publish("elsewhere", "Object Created", {"n": 4, "object": {"key": "org_acme/a.png"}})
    found: list[int] = []
    while len(found) < len(taken) and (received := place.receive()):
        found += [one.body["detail"]["n"] for one in received]
    assert sorted(found) == sorted(taken)
    assert place.receive(patient=False) == []


def test_a_message_says_what_was_published(place: Place) -> None:
    place.rule(ALL)
    publish(place, 7)
    [one] = place.receive()
    assert (one.body["source"], one.body["detail-type"], one.body["detail"], one.receives) == (
        "tenfold.tasks", "tasks.task.moved.v1", {"n": 7}, 1,
    )  # fmt: skip


def test_what_is_received_is_hidden_and_comes_again(place: Place) -> None:
    place.rule(ALL)
    publish(place, 1)
    [first] = place.receive()
    assert place.receive(patient=False) == []
    place.wait(VISIBILITY + 0.2)
    [again] = place.receive()
    assert (again.body["detail"], first.receives, again.receives) == ({"n": 1}, 1, 2)


def test_what_is_given_back_comes_at_once_and_what_is_hidden_later(place: Place) -> None:
    place.rule(ALL)
    publish(place, 1)
    [one] = place.receive()
    place.hide(one, 0)
    [again] = place.receive()
    place.hide(again, 60)
    assert place.receive(patient=False) == []


def test_a_part_of_a_batch_that_is_not_settled_comes_again_alone(place: Place) -> None:
    place.rule(ALL)
    publish(place, 1, 2, 3)
    held = place.receive()
    while len(held) < 3:
        held += place.receive()
    for one in held:
        if one.body["detail"]["n"] == 2:
            place.hide(one, 0)
        else:
            place.delete(one)
    [again] = place.receive()
    assert again.body["detail"] == {"n": 2}
    place.delete(again)
    place.wait(VISIBILITY + 0.2)
    assert place.receive(patient=False) == []
    assert place.dead() == []


def test_after_its_last_receive_a_message_is_a_dead_letter(place: Place) -> None:
    place.rule(ALL)
    publish(place, 1)
    for expected in range(1, MAX_RECEIVES + 1):
        [one] = place.receive()
        assert one.receives == expected
        assert place.dead() == []
        place.hide(one, 0)
    assert place.receive(patient=False) == []
    [letter] = place.dead()
    assert letter["detail"] == {"n": 1}
