"""All attacks on a service, one report."""

from collections.abc import Sequence

from verification.isolation.event_attacks import EventAttacks
from verification.isolation.http_attacks import HttpAttacks
from verification.isolation.judge import Report
from verification.isolation.seeds import NoSeed, world_of
from verification.isolation.storage_attacks import StorageAttacks

HEAD = ("service", "routes", "by HTTP", "subscriptions", "by event", "methods", "by storage", "leaks", "uncovered")


Attacks = type[HttpAttacks] | type[EventAttacks] | type[StorageAttacks]
ALL: tuple[Attacks, ...] = (HttpAttacks, EventAttacks, StorageAttacks)


async def attacked(service: str, *attacks: Attacks) -> Report:
    """Every route, subscription and repository method of the service, from every side; or from some."""
    report = Report(service)
    try:
        world = await world_of(service)
    except NoSeed as gap:
        report.uncovered.append(str(gap))
        return report
    for each in attacks or ALL:
        before = report.attacks
        await each(world, report).run()
        report.by[each] = report.attacks - before
    return report


def table(reports: Sequence[Report]) -> str:
    """One line a service, with its attacks of each kind beside what they were made on; and their sum."""
    counts = {report.service: _counts(report) for report in reports}
    counts["together"] = tuple(map(sum, zip(*counts.values(), strict=True)))
    lines = [HEAD, *((name, *of) for name, of in counts.items())]
    return "\n".join(f"{line[0]:<12}" + "".join(f"{each!s:>15}" for each in line[1:]) for line in lines)


def _counts(report: Report) -> tuple[int, ...]:
    http, events, storage = (report.by.get(each, 0) for each in ALL)
    covered = (report.routes, http, report.subscriptions, events, report.methods, storage)
    return (*covered, len(report.leaks), len(report.uncovered))
