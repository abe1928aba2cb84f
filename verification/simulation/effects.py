"""Checks of commands against events: acknowledged effects happened as often as promised, and nothing else happened."""

from collections import Counter, defaultdict
from collections.abc import Iterable

from verification.simulation.facts import Fact, Facts
from verification.simulation.folds import MEMBER_FACTS
from verification.simulation.ledger import Ledger
from verification.simulation.violations import Violation

NOT_ALLOWED = frozenset({401, 403})
"""Statuses of a repeated command whose caller has lost the permission: they do not say whether it was executed."""


def check(ledger: Ledger, facts: Facts) -> None:
    """Check every effect. Raises Violation."""
    check_commands(ledger, facts)
    check_organizations(facts)
    check_imports(facts)
    check_files(ledger, facts)


def check_commands(ledger: Ledger, facts: Facts) -> None:
    """Check that each effect happened as often as was acknowledged, and not more often than it was requested."""
    least: Counter[tuple[str, str]] = Counter()
    most: Counter[tuple[str, str]] = Counter()
    for command in ledger.commands:
        for effect in command.effects:
            key = (effect.type, effect.identity)
            most[key] += command.refused is None or command.uncertain
            if command.acknowledged and effect.promise != "maybe":
                least[key] = least[key] + 1 if effect.promise == "each" else max(least[key], 1)
            if effect.type == "identity.sign_in.failed.v1":
                most[key] += 1_000_000  # each attempt is refused and recorded, however often it is repeated

    def is_personal(fact: Fact) -> bool:
        return fact.type == "tenancy.organization.created.v1" and bool(fact.data["personal"])

    actual = Counter((fact.type, fact.identity) for fact in facts.all if fact.identity and not is_personal(fact))
    check_refusals(ledger, actual)
    for key, count in least.items():
        if actual[key] < count:
            raise Violation("lost", f"{key} was acknowledged {count} times and happened {actual[key]} times")
    for key, count in actual.items():
        if count > most[key]:
            detail = f"{key} happened {count} times for {most[key]} commands"
            raise Violation("duplicated" if most[key] else "without a command", detail)


def check_refusals(ledger: Ledger, actual: Counter[tuple[str, str]]) -> None:
    """Check that a repeated command that was executed is answered as the first time, whatever has changed since.

    A lingering try may have been executed later, when nothing hindered it any more.
    """
    for command in ledger.commands:
        if command.lingers:
            continue
        for effect in command.effects:
            if effect.promise != "each" or command.refused in NOT_ALLOWED or command.refused is None:
                continue
            if actual[effect.type, effect.identity]:
                raise Violation("duplicated", f"a repeated command was refused, although it was executed: {command}")


def check_organizations(facts: Facts) -> None:
    """Check that each uninvited person has one personal organization, and each owner and guest one membership."""
    uninvited = [fact.subject for fact in facts.of("identity.user.registered") if not fact.data["invited"]]
    owners = [fact.data["owner_id"] for fact in facts.of("tenancy.organization.created") if fact.data["personal"]]
    _require_same(uninvited, owners, "personal organizations")
    joined = [(fact.org, fact.data["owner_id"]) for fact in facts.of("tenancy.organization.created")]
    joined += [(fact.org, fact.data["user_id"]) for fact in facts.of("tenancy.invitation.accepted")]
    _require_same(joined, [(fact.org, fact.subject) for fact in facts.of("tenancy.member.added")], "memberships")
    versions: dict[tuple[str, str], list[int]] = defaultdict(list)
    for fact in facts.of(*MEMBER_FACTS):
        versions[fact.org, fact.subject].append(fact.version)
    for key, numbers in versions.items():
        if sorted(numbers) != list(range(1, len(numbers) + 1)):
            raise Violation("duplicated", f"the membership {key} has the versions {sorted(numbers)}")


def check_imports(facts: Facts) -> None:
    """Check that each import is completed once, and that each of its rows is a task or a failure."""
    tasks = Counter(fact.data.get("import_id") for fact in facts.of("tasks.task.created"))
    rows = {fact.subject: fact.data["rows"] for fact in facts.of("tasks.import.requested")}
    done = list(facts.of("tasks.import.completed"))
    _require_same(list(rows), [fact.subject for fact in done], "completed imports")
    for fact in done:
        created, failed = fact.data["created"], fact.data["failed"]
        if created != tasks[fact.subject] or created + failed != rows[fact.subject]:
            raise Violation("lost", f"{fact.subject}: {tasks[fact.subject]} tasks of {rows[fact.subject]}, {fact.data}")


def check_files(ledger: Ledger, facts: Facts) -> None:
    """Check that each upload is accepted or rejected once, and each accepted file processed once."""
    uploads = ledger.uploads.values()
    accepted = [fact.data["name"] for fact in facts.of("files.file.uploaded")]
    _require_same([upload.name for upload in uploads if upload.good], accepted, "uploaded files")
    refused = [fact.data["name"] for fact in facts.of("files.file.rejected")]
    _require_same([upload.name for upload in uploads if not upload.good], refused, "rejected files")
    ended = [fact.subject for fact in facts.of("files.file.processed", "files.file.processing_failed")]
    _require_same([fact.subject for fact in facts.of("files.file.uploaded")], ended, "processed files")


def _require_same(wanted: Iterable[object], actual: Iterable[object], what: str) -> None:
    expected, actual = Counter(wanted), Counter(actual)
    if missing := expected - actual:
        raise Violation("lost", f"{what}: missing {dict(missing)}")
    if surplus := actual - expected:
        raise Violation("duplicated", f"{what}: too many {dict(surplus)}")
