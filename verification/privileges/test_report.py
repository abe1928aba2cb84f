"""The report tells every kind of trouble, and none when there is none."""

from collections import Counter
from dataclasses import replace

from verification.privileges.played import Played
from verification.privileges.policy import Grant, Request
from verification.privileges.report import compared, table, troubles
from verification.privileges.unused import Reason

READ, WRITE = Grant("dynamodb:GetItem", "arn:t"), Grant("dynamodb:PutItem", "arn:t")
GOOD = Played(
    granted={"tasks": [READ]}, used={"tasks": Counter({Request("dynamodb:GetItem", "arn:t"): 3})}, refused=Counter(),
    unreadable=Counter(), day_is_good=True,
)  # fmt: skip
WHY = Reason("dynamodb:PutItem", "*", "once a year")


def told(played: Played, *reasons: Reason) -> list[str]:
    return troubles(played, compared(played, reasons))


def test_nothing_to_tell() -> None:
    assert told(GOOD) == []
    assert compared(GOOD, ()).lines[0].times == 3


def test_a_grant_that_nothing_uses_needs_a_reason() -> None:
    needless = replace(GOOD, granted={"tasks": [READ, WRITE]})
    assert told(needless) == ["granted and not used: tasks dynamodb:PutItem arn:t"]
    assert told(needless, WHY) == []
    assert table(compared(needless, [WHY])).row_count == 2


def test_a_reason_for_nothing() -> None:
    assert told(GOOD, WHY) == ["a reason for dynamodb:PutItem on *, which nobody is granted"]


def test_use_without_a_grant() -> None:
    other = Request("dynamodb:GetItem", "arn:other")
    reaching = replace(GOOD, used={"tasks": GOOD.used["tasks"] + Counter([other])})
    assert told(reaching) == ["used and not granted: tasks dynamodb:GetItem arn:other"]


def test_what_went_wrong_on_the_way() -> None:
    bad = replace(GOOD, refused=Counter(["no"]), unreadable=Counter(["a call of x"]), day_is_good=False)
    assert told(bad) == ["refused 1 times: no", "not understood: a call of x", "the day did not end as it must"]
