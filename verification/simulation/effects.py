"""Commands against events: what was acknowledged has happened as often as was promised, and nothing else has."""

from collections import Counter, defaultdict
from collections.abc import Iterable

from verification.simulation.facts import Fact, Facts
from verification.simulation.folds import MEMBER_FACTS
from verification.simulation.ledger import Ledger
from verification.simulation.violations import Violation

NOT_ALLOWED = frozenset({401, 403})
"""Who may no longer do something is not told what became of it."""


def check(ledger: Ledger, facts: Facts) -> None:
    """Raises Violation."""
    _check_commands(ledger, facts)
    _check_organizations(facts)
    _check_imports(facts)
    _check_files(ledger, facts)


def _check_commands(ledger: Ledger, facts: Facts) -> None:
    least: Counter[tuple[str, str]] = Counter()
    most: Counter[tuple[str, str]] = Counter()
    for command in ledger.commands:
        for effect in command.effects:
            place = (effect.type, effect.identity)
            most[place] += command.refused is None or command.uncertain
            if command.acknowledged and effect.promise == "each":
                least[place] += 1
            elif command.acknowledged and effect.promise == "once":
                least[place] = max(least[place], 1)
            if effect.type == "identity.sign_in.failed.v1":
                most[place] += 1_000_000  # a guess is refused, told of each time, and never kept from being so
    found = Counter((fact.type, fact.identity) for fact in facts.all if fact.identity and not _personal(fact))
    _check_refusals(ledger, found)
    for place, count in least.items():
        if found[place] < count:
            raise Violation("lost", f"{place} was acknowledged {count} times and happened {found[place]} times")
    for place, count in found.items():
        if count > most[place]:
            detail = f"{place} happened {count} times for {most[place]} commands"
            raise Violation("duplicated" if most[place] else "without a command", detail)


def _check_refusals(ledger: Ledger, found: Counter[tuple[str, str]]) -> None:
    """Who repeats a command that was carried out is answered as the first time, whatever has become of it since. A try
    that lingers may have been carried out later, when what was in its way was gone."""
    for command in ledger.commands:
        if command.lingers:
            continue
        for effect in command.effects:
            if effect.promise != "each" or command.refused in NOT_ALLOWED or command.refused is None:
                continue
            if found[effect.type, effect.identity]:
                raise Violation("duplicated", f"a repeated command was refused, though it was carried out: {command}")


def _personal(fact: Fact) -> bool:
    return fact.type == "tenancy.organization.created.v1" and bool(fact.data["personal"])


def _check_organizations(facts: Facts) -> None:
    """One personal organization for whoever came uninvited; one membership for each founding and each acceptance."""
    uninvited = [fact.subject for fact in facts.of("identity.user.registered") if not fact.data["invited"]]
    owners = [fact.data["owner_id"] for fact in facts.of("tenancy.organization.created") if fact.data["personal"]]
    _same(uninvited, owners, "personal organizations")
    joined = [(fact.org, fact.data["owner_id"]) for fact in facts.of("tenancy.organization.created")]
    joined += [(fact.org, fact.data["user_id"]) for fact in facts.of("tenancy.invitation.accepted")]
    _same(joined, [(fact.org, fact.subject) for fact in facts.of("tenancy.member.added")], "memberships")
    versions: dict[tuple[str, str], list[int]] = defaultdict(list)
    for fact in facts.of(*MEMBER_FACTS):
        versions[fact.org, fact.subject].append(fact.version)
    for place, found in versions.items():
        if sorted(found) != list(range(1, len(found) + 1)):
            raise Violation("duplicated", f"the membership {place} went through versions {sorted(found)}")


def _check_imports(facts: Facts) -> None:
    made = Counter(fact.data.get("import_id") for fact in facts.of("tasks.task.created"))
    rows = {fact.subject: fact.data["rows"] for fact in facts.of("tasks.import.requested")}
    done = list(facts.of("tasks.import.completed"))
    _same(list(rows), [fact.subject for fact in done], "completed imports")
    for fact in done:
        created, failed = fact.data["created"], fact.data["failed"]
        if created != made[fact.subject] or created + failed != rows[fact.subject]:
            raise Violation("lost", f"{fact.subject}: {made[fact.subject]} tasks of {rows[fact.subject]}, {fact.data}")


def _check_files(ledger: Ledger, facts: Facts) -> None:
    uploads = ledger.uploads.values()
    taken = [fact.data["name"] for fact in facts.of("files.file.uploaded")]
    _same([upload.name for upload in uploads if upload.good], taken, "uploaded files")
    refused = [fact.data["name"] for fact in facts.of("files.file.rejected")]
    _same([upload.name for upload in uploads if not upload.good], refused, "rejected files")
    ended = [fact.subject for fact in facts.of("files.file.processed", "files.file.processing_failed")]
    _same([fact.subject for fact in facts.of("files.file.uploaded")], ended, "processed files")


def _same(wanted: Iterable[object], found: Iterable[object], what: str) -> None:
    expected, there = Counter(wanted), Counter(found)
    if missing := expected - there:
        raise Violation("lost", f"{what}: missing {dict(missing)}")
    if surplus := there - expected:
        raise Violation("duplicated", f"{what}: too many {dict(surplus)}")
