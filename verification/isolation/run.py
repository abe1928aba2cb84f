"""Running all attacks on a service, with one report."""

from collections.abc import Sequence

from verification.isolation.event_attacks import EventAttacks
from verification.isolation.http_attacks import HttpAttacks
from verification.isolation.judge import Report
from verification.isolation.seeds import NoSeed, world_of
from verification.isolation.storage_attacks import StorageAttacks

HEAD = ("service", "routes", "by HTTP", "subscriptions", "by event", "methods", "by storage", "leaks", "uncovered")
Attacks = type[HttpAttacks] | type[EventAttacks] | type[StorageAttacks]
ALL: tuple[Attacks, ...] = (HttpAttacks, EventAttacks, StorageAttacks)


async def attack_service(service: str, *attacks: Attacks) -> Report:
    """Attack every route, subscription and repository method of a service; or only some, by kind."""
    report = Report(service)
    try:
        world = await world_of(service)
    except NoSeed as gap:
        report.uncovered.append(str(gap))
        return report
    for kind in attacks or ALL:
        before = report.attacks
        await kind(world, report).run()
        report.by[kind] = report.attacks - before
    return report


def table(reports: Sequence[Report]) -> str:
    """One line per service, with the attacks of each kind beside their targets; and a line with the sums."""

    def counts_of(report: Report) -> tuple[int, ...]:
        http, events, storage = (report.by.get(kind, 0) for kind in ALL)
        covered = (report.routes, http, report.subscriptions, events, report.methods, storage)
        return (*covered, len(report.leaks), len(report.uncovered))

    counts = {report.service: counts_of(report) for report in reports}
    counts["together"] = tuple(map(sum, zip(*counts.values(), strict=True)))
    lines = [HEAD, *((name, *of) for name, of in counts.items())]
    return "\n".join(f"{line[0]:<12}" + "".join(f"{each!s:>15}" for each in line[1:]) for line in lines)
