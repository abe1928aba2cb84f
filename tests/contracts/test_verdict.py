"""The verdict on a change: the consumers that break, and what can be removed."""

from dataclasses import replace
from datetime import date
from typing import Any, Literal

from contracts.check.change import BREAKING, RISKY, SAFE
from contracts.check.shape import Schema
from contracts.check.verdict import Finding, Reader, Snapshot, Verdict, judge
from tests.contracts.planted import event, reader

TYPE = "shop.order.placed.v1"


def notify(line: int = 41, event_type: str = TYPE, **fields: Any) -> Reader:
    schema = reader(**fields)
    return Reader("notify", "orders", event_type, "tell", "services/notify/consumers.py", line, schema)


def analytics(**fields: Any) -> Reader:
    return Reader("analytics", "figures", TYPE, "count", "services/analytics/consumers.py", 7, reader(**fields))


def verdict(old: Schema | None, new: Schema | None, before: Any = (), after: Any = ()) -> Verdict:
    base = Snapshot({TYPE: old} if old else {}, tuple(before))
    return judge(base, Snapshot({TYPE: new} if new else {}, tuple(after)))


def only(judged: Verdict) -> Finding:
    [finding] = judged.findings
    return finding


OLD = event(id=str, due=date, note=(str | None, None), title=str)
NEW = event(id=str, note=(str | None, None), title=str)


def test_a_removed_field_names_each_consumer_that_reads_it_and_no_other() -> None:
    consumers = notify(id=str, due=date), analytics(id=str)
    finding = only(verdict(OLD, NEW, consumers, consumers))
    assert str(finding.change) == "field due removed"
    assert [str(one) for one in finding.breaks] == ["notify (services/notify/consumers.py:41 tell)"]


def test_a_consumer_that_moved_breaks_for_as_long_as_its_old_version_runs() -> None:
    finding = only(verdict(OLD, NEW, [notify(0, due=date)], [notify(id=str)]))
    [broken] = finding.breaks
    assert broken.deployed
    assert str(broken) == "notify (services/notify/consumers.py:41 tell, as of the base revision)"


def test_an_optional_field_may_go_when_nobody_reads_it() -> None:
    without = event(id=str, due=date, title=str)
    finding = only(verdict(OLD, without, [notify(id=str)], [notify(id=str)]))
    assert (finding.severity, finding.breaks, finding.read_by) == (RISKY, (), ())
    reads = notify(note=(str | None, None))
    finding = only(verdict(OLD, without, [reads], [reads]))
    assert (finding.severity, finding.breaks) == (BREAKING, (reads,))


def test_a_looser_limit_breaks_only_who_relies_on_it() -> None:
    old, new = event(id=str, n=Literal["a"]), event(id=str, n=Literal["a", "b"])
    assert only(verdict(old, new, [notify(n=str)], [notify(n=str)])).breaks == ()
    assert only(verdict(old, new, [notify(n=Literal["a"])], [notify(n=Literal["a"])])).breaks


def test_a_consumer_that_changed_is_at_fault_itself() -> None:
    finding = only(verdict(OLD, OLD, [notify(id=str)], [notify(id=str, price=int)]))
    assert (finding.by_consumer, str(finding.change)) == (True, "field price is not in the contract")
    finding = only(verdict(OLD, OLD, [notify()], [notify(note=str)]))
    assert str(finding.change) == "field note may be left out, but is read as required"


def test_a_consumer_must_not_need_what_the_deployed_producer_does_not_send() -> None:
    new = event(id=str, due=date, note=(str | None, None), title=str, colour=(str, "red"))
    judged = verdict(OLD, new, [notify()], [notify(colour=str)])
    findings = {one.by_consumer: one for one in judged.findings}
    assert findings[False].severity is SAFE
    assert "is not in the contract in events of the base revision" in str(findings[True].change)
    assert not verdict(OLD, new, [notify()], [notify(colour=(str, "red"))]).breaking


def test_a_deleted_event_breaks_its_consumers() -> None:
    finding = only(verdict(OLD, None, [notify(id=str)]))
    assert (str(finding.change), finding.severity) == ("deleted", BREAKING)
    assert finding.breaks[0].service == "notify"


def test_a_version_can_go_when_all_have_moved() -> None:
    second = TYPE.replace("v1", "v2")
    both = {TYPE: OLD, second: NEW | {"x-type": second}}
    moved, stays = notify(event_type=second, id=str), analytics(id=str)

    def tree(schemas: dict[str, Schema], *readers: Reader) -> Snapshot:
        return Snapshot(schemas, readers, upcasts={TYPE: second})

    waiting = judge(Snapshot(both), tree(both, moved, stays))
    assert (waiting.removable, dict(waiting.waiting), waiting.breaking) == ((), {TYPE: (stays,)}, False)
    ready = judge(Snapshot(both), tree(both, moved))
    assert ready.removable == (TYPE,)
    gone = judge(Snapshot(both, (moved,)), tree({second: both[second]}, moved))
    assert (only(gone).severity, gone.removable) == (SAFE, ())
    too_early = judge(Snapshot(both, (stays,)), tree({second: both[second]}, moved))
    assert only(too_early).breaks == (replace(stays, deployed=True),)


def test_a_new_version_has_an_upcaster() -> None:
    second = TYPE.replace("v1", "v2")
    judged = judge(Snapshot({TYPE: OLD}), Snapshot({TYPE: OLD, second: NEW}))
    assert [one.change.kind for one in judged.findings if one.severity is BREAKING] == ["version"]


def test_a_type_that_names_another_fact_is_breaking() -> None:
    placed, shipped = event(name="Placed", id=str), event(name="Shipped", id=str)
    base = Snapshot({TYPE: placed, "shop.order.shipped.v1": shipped})
    swapped = judge(base, Snapshot({TYPE: shipped, "shop.order.shipped.v1": placed}))
    assert [one.change.kind for one in swapped.findings if one.severity is BREAKING] == ["meaning", "meaning"]
    renamed = judge(base, Snapshot({**base.schemas, TYPE: event(name="OrderPlaced", id=str)}))
    assert not renamed.breaking


def test_what_nobody_reads_is_listed() -> None:
    judged = verdict(OLD, OLD, (), [notify(id=str), analytics(title=str)])
    assert dict(judged.unread) == {TYPE: ("due", "note")}
