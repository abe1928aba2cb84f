"""The report has every kind of problem, and none if there is none."""

from collections import Counter
from dataclasses import replace

from verification.privileges.day import RecordedDay
from verification.privileges.policy import Grant, Request
from verification.privileges.report import compare, list_problems, table
from verification.privileges.unused import Reason

READ, WRITE = Grant("dynamodb:GetItem", "arn:t"), Grant("dynamodb:PutItem", "arn:t")
GOOD = RecordedDay(
    granted={"tasks": [READ]},
    used={"tasks": Counter({Request("dynamodb:GetItem", "arn:t"): 3})},
    refused=Counter(),
    unreadable=Counter(),
    day_is_good=True,
)
WHY = Reason("dynamodb:PutItem", "*", "once a year")


def find_problems(day: RecordedDay, *reasons: Reason) -> list[str]:
    return list_problems(day, compare(day, reasons))


def test_a_report_without_problems() -> None:
    assert find_problems(GOOD) == []
    assert compare(GOOD, ()).lines[0].times == 3


def test_a_grant_that_nothing_uses_needs_a_reason() -> None:
    needless = replace(GOOD, granted={"tasks": [READ, WRITE]})
    assert find_problems(needless) == ["granted and not used: tasks dynamodb:PutItem arn:t"]
    assert find_problems(needless, WHY) == []
    assert table(compare(needless, [WHY])).row_count == 2


def test_a_reason_without_a_grant() -> None:
    assert find_problems(GOOD, WHY) == ["a reason for dynamodb:PutItem on *, which is not granted"]


def test_use_without_a_grant() -> None:
    other = Request("dynamodb:GetItem", "arn:other")
    reaching = replace(GOOD, used={"tasks": GOOD.used["tasks"] + Counter([other])})
    assert find_problems(reaching) == ["used and not granted: tasks dynamodb:GetItem arn:other"]


def test_problems_of_the_day() -> None:
    bad = replace(GOOD, refused=Counter(["no"]), unreadable=Counter(["a call of x"]), day_is_good=False)
    assert find_problems(bad) == ["refused 1 times: no", "not readable: a call of x", "the day did not end as it must"]
