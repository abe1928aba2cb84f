"""The checks: of seats after every step, of everything once the system is at rest."""

from collections import Counter, defaultdict

from chassis.work.context import Actor, Cause, ServiceContext
from chassis.work.outbox import Outbox
from chassis.work.scope import OrgScope
from contracts.common import Plan
from services.audit.chain.usecases.verification import verify
from services.tenancy.organizations.model import SEATS
from verification.simulation import effects, projections
from verification.simulation.facts import Facts
from verification.simulation.ledger import Ledger
from verification.simulation.loop import shared_loop
from verification.simulation.process import SERVICES
from verification.simulation.violations import Violation
from verification.simulation.world import World


def check_step(world: World) -> None:
    """Check after a step that no bug showed and no seat limit is exceeded. Raises Violation."""
    if world.bugs:
        raise Violation("bug", world.bugs[0])
    plans = {item["id"]: Plan(item["plan"]) for item in world.items("tenancy", "ORGANIZATION")}
    seats = _seats_taken(world)
    for item in world.items("tenancy", "USAGE"):
        org_id = item["PK"].split("#")[1]
        if max(item["seats"], seats[org_id]) > SEATS[plans[org_id]]:
            raise Violation("limit", f"{org_id} counts {item['seats']} seats, and {seats[org_id]} are taken")


def check_rest(world: World) -> None:
    """Check everything once the system is at rest. Raises Violation."""
    check_step(world)
    facts, ledger = Facts(world.state.committed), world.state.ledger
    check_events(world, facts)
    check_dead_letters(world)
    effects.check(ledger, facts)
    check_seats(world)
    projections.check(world, facts)
    check_audit(world, facts)
    check_mails(world, ledger)


def _seats_taken(world: World) -> Counter[str]:
    taken: Counter[str] = Counter()
    for member in world.items("tenancy", "MEMBER"):
        taken[member["PK"].split("#")[1]] += member["active"]
    for invitation in world.items("tenancy", "INVITATION"):
        taken[invitation["PK"].split("#")[1]] += invitation["status"] == "pending"
    return taken


def check_seats(world: World) -> None:
    """Check that the counted seats are those of active members and pending invitations."""
    taken = _seats_taken(world)
    for item in world.items("tenancy", "USAGE"):
        org_id = item["PK"].split("#")[1]
        if item["seats"] != taken[org_id]:
            raise Violation("limit", f"{org_id} counts {item['seats']} seats, but {taken[org_id]} are taken")


def check_events(world: World, facts: Facts) -> None:
    """Check that exactly the committed events were published, and that no outbox entry is left."""
    state = world.state
    for fact in facts.all:
        if not state.published[fact.id]:
            raise Violation("lost", f"{fact.type} {fact.id} was committed and never published")
    if unknown := state.published.keys() - state.committed.keys():
        raise Violation("without a command", f"{min(unknown)} was published and never committed")
    for service in SERVICES:
        if world.outbox_of(service):
            raise Violation("outbox", f"{service} still holds {world.outbox_of(service)[0]['SK']}")


def check_dead_letters(world: World) -> None:
    """Check that the dead letters are exactly the poison, by body: their ids change when they are redriven."""
    actual = {
        (dead_letter.body, queue.name) for queue in world.state.queues.values() for dead_letter in queue.dead_letters
    }
    wanted = set(world.state.poison.items())
    if actual != wanted:
        raise Violation("dead letters", f"missing {wanted - actual}, too many {actual - wanted}")


def check_audit(world: World, facts: Facts) -> None:
    """Check that each event has one record with its content, and that each chain is sealed and valid."""
    records = {item["id"]: item for item in world.items("audit", "RECORD")}
    if missing := [fact for fact in facts.all if fact.id not in records]:
        raise Violation("audit", f"{missing[0].type} {missing[0].id} has no record")
    if len(records) != len(facts.all) or len(world.items("audit", "RECORD")) != len(records):
        raise Violation("audit", f"{len(records)} records of {len(facts.all)} events")
    sealed: dict[str, int] = defaultdict(int)
    for fact in facts.all:
        record = records[fact.id]
        sealed[fact.org] += 1
        if (record["org_id"], record["action"], record["actor"]) != (fact.org, fact.type, fact.actor):
            raise Violation("audit", f"the record of {fact.id} does not match it")
    for org_id, count in sealed.items():
        if world.state.verified.get(org_id) == count:
            continue
        outcome = shared_loop().run_until_complete(verify(_audit_scope(world, org_id)))
        if not outcome.valid or outcome.unsealed or outcome.sealed != count:
            raise Violation("chain", f"{count} events of {org_id}: {outcome}")
        world.state.verified[org_id] = count


def _audit_scope(world: World, org_id: str) -> OrgScope:
    state = world.state
    table = state.tables["audit"]
    outbox = Outbox(table, _NoBus(), state.clock)
    return OrgScope(ServiceContext("audit", table, outbox, state.clock, state.ids), Actor(), Cause("check"), org_id)


class _NoBus:
    async def put(self, entries: object) -> list[bool]:
        raise AssertionError("a verification publishes nothing")


def check_mails(world: World, ledger: Ledger) -> None:
    """Check that e-mails go to known addresses only, and are repeated only if something went wrong."""
    mails = world.state.outside.mails
    repeated = len(mails) - len({mail.id for mail in mails})
    if repeated and not world.trouble and not world.wire.fired:
        raise Violation("duplicated", f"{repeated} e-mails were sent again, although nothing went wrong")
    addresses = {person.email for person in ledger.people.values()}
    addresses |= {effect.identity for command in ledger.commands for effect in command.effects}
    if unknown := [mail.to for mail in mails if mail.to not in addresses]:
        raise Violation("without a command", f"an e-mail went to {unknown[0]}")
