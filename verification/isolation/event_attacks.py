"""Attacks by events: every event of every subscription, with a forged envelope, or with another organization's ids."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from chassis.declare.subscription import AnySubscription, ExternalSubscription, Subscription
from chassis.errors import Rejected, TenfoldError
from contracts.catalog import load_all
from contracts.event import SOURCE_PREFIX, Event
from verification.isolation.judge import (
    Reach,
    Report,
    changes,
    differences,
    leaked_secrets,
    no_reach,
    reach_of,
    secrets,
    victim_values_in,
)
from verification.isolation.samples import (
    Choose,
    Sampler,
    Slot,
    Uncovered,
    absent,
    fill,
    names_of,
    only,
    slots_in,
    victims,
)
from verification.isolation.world import Outcome, World, capture_logs

NEWER = 9
"""A version above all in the seeds, so that no subscription to the latest state ignores the event."""
FORGED_ORGS = ("", "thevictim", "org_", "org_thevictim#A", "org_THEVICTIM", "org_thevictim/..", "user_vera", None, 7)
FORGED_KEYS = (
    "{own}/../{victim}/{file}/original",
    "/{victim}/{file}/original",
    "{victim}%2F{file}/original",
    "{victim}#A/{file}/original",
    "{victim}/{file}/original/",
    "{file}/original",
    "",
)

HANDED_OVER = {
    (
        "identity.memberships",
        "USER",
    ): "the rows of an account are its memberships; an event may change only that of its own organization",
}
"""Subscriptions whose events may change a person's own rows, and why."""


@dataclass(frozen=True)
class Sample:
    """An event of a contract, with slots for ids in its data."""

    event: type[Event]
    data: dict[str, Any]

    @property
    def slots(self) -> list[Slot]:
        return list(slots_in(self.data))

    def body(
        self, world: World, org: Any, choose: Choose, *, outer: Mapping[str, str] | None = None, **inner: str
    ) -> dict[str, Any]:
        """The event as the bus delivers it. `outer` replaces members of it, `inner` those of the envelope."""
        data = fill(self.data, choose)
        detail = {
            "specversion": "1.0",
            "id": "0" * 31 + "e",
            "source": SOURCE_PREFIX + self.event.owner(),
            "type": self.event.event_type,
            "time": world.sut.clock.now().isoformat(),
            "subject": str(data[self.event.subject_field]),
            "datacontenttype": "application/json",
            "dataschema": self.event.schema_path(),
            "orgid": org,
            "actor": world.mallory.id,
            "aggregateversion": NEWER,
            "correlationid": "correlation",
            "data": data,
        }
        event = {"source": detail["source"], "detail-type": detail["type"], "detail": detail | inner}
        return {**event, **(outer or {})}


class EventAttacks:
    """All attacks by events on one world."""

    def __init__(self, world: World, report: Report) -> None:
        self._world, self._report = world, report
        world.restore()
        self._secrets = secrets(world)
        self._reach, self._no_reach = reach_of(world, world.mallory.id), no_reach(world)

    async def run(self) -> None:
        for subscription in self._world.sut.service.load_subscriptions():
            self._report.subscriptions += 1
            if isinstance(subscription, Subscription):
                await self._attack_subscription(subscription)
                continue
            try:
                await self._attack_external(subscription)
            except Uncovered as gap:
                self._report.uncovered.append(str(gap))

    async def _attack_subscription(self, subscription: Subscription) -> None:
        contracts = load_all()
        for event_type in contracts if subscription.any_handler else subscription.types:
            event, world = contracts[event_type], self._world
            schema = event.model_json_schema()
            sampler = Sampler(world, event_type, schema.get("$defs", {}), words="wicked")
            try:
                sample = Sample(event, sampler.value("", schema, "data"))
                await self._require_success(subscription, sample.body(world, world.victim_org, victims), event_type)
                await self._attack_with_forgeries(subscription, sample)
                await self._attack_with_foreign_ids(subscription, sample)
            except Uncovered as gap:
                self._report.uncovered.append(str(gap))

    async def _require_success(self, subscription: AnySubscription, body: dict[str, Any], name: str) -> None:
        """Deliver the victim's own event. Raises Uncovered if it fails: an attack like it would prove nothing."""
        outcome = await self._deliver(subscription, body)
        if not outcome.calls or outcome.body not in {"", "NotYet"}:
            raise Uncovered(f"{subscription.name}: {name}: its own event is refused, too: {outcome.body or 'no calls'}")

    async def _attack_with_forgeries(self, subscription: Subscription, sample: Sample) -> None:
        """Events without a valid organization, or not from the owner of their type, must be refused before any read."""
        world, real = self._world, sample.event.event_type
        bodies = {f"orgid {org!r}": sample.body(world, org, victims) for org in FORGED_ORGS}
        for source in ("tenfold.other", "aws.s3", "evil.tasks"):
            bodies[f"source {source}"] = sample.body(world, world.victim_org, victims, outer={"source": source})
            bodies[f"envelope's source {source}"] = sample.body(world, world.victim_org, victims, source=source)
        other = "audit.record.kept.v1"
        bodies["another detail type"] = sample.body(world, world.victim_org, victims, outer={"detail-type": other})
        bodies["another type inside"] = sample.body(world, world.victim_org, victims, type=other)
        for name, body in bodies.items():
            outcome = await self._deliver(subscription, body)
            self._report.count(f"{subscription.name} {real}", f"forged: {name}", self._require_rejection(outcome))

    async def _attack_with_foreign_ids(self, subscription: Subscription, sample: Sample) -> None:
        """Events of the attacker's organization with the victim's ids in their data."""
        world, org = self._world, self._world.attacker_org
        choices = {f"another organization's {slot.label}": slot.label for slot in sample.slots}
        attacks = {name: (only(label, victims), only(label, absent)) for name, label in choices.items()}
        attacks["another organization's data"] = (victims, absent)
        names = names_of(sample.slots)
        for name, (foreign, missing) in attacks.items():
            control = await self._deliver(subscription, sample.body(world, org, missing))
            body = sample.body(world, org, foreign)
            outcome = await self._deliver(subscription, body)
            leaks = self._find_leaks(subscription, outcome, control, body, names)
            self._report.count(f"{subscription.name} {sample.event.event_type}", name, leaks)

    async def _attack_external(self, subscription: ExternalSubscription) -> None:
        world = self._world
        if subscription.name not in world.externals:
            raise Uncovered(f"{subscription.name}: add its event to verification/isolation/seeds/{world.name}.py")
        make, pair = world.externals[subscription.name]
        await self._require_success(subscription, make(world.victim_org, pair.victim), subscription.detail_type)
        control = await self._deliver(subscription, make(world.attacker_org, pair.absent))
        body = make(world.attacker_org, pair.victim)
        outcome = await self._deliver(subscription, body)
        names = {pair.victim: "<id>", pair.absent: "<id>"}
        leaks = self._find_leaks(subscription, outcome, control, body, names)
        self._report.count(subscription.name, "another organization's resource under the own prefix", leaks)
        for key in FORGED_KEYS:
            text = json.dumps(make(world.victim_org, pair.victim))
            forged = key.format(own=world.attacker_org, victim=world.victim_org, file=pair.victim)
            text = text.replace(f"{world.victim_org}/{pair.victim}/original", forged)
            outcome = await self._deliver(subscription, json.loads(text))
            self._report.count(subscription.name, f"forged key {forged!r}", self._require_rejection(outcome))

    # --- delivery and judgement

    async def _deliver(self, subscription: AnySubscription, body: Mapping[str, Any]) -> Outcome:
        """Deliver an event. The outcome's `body` names the error; its `headers` are what was written and sent."""
        world = self._world
        world.restore()
        start = len(world.table.calls)
        with capture_logs() as lines:
            refusal = ""
            try:
                await world.sut.deliver_raw(subscription, dict(body))
            except TenfoldError as error:
                refusal = type(error).__name__
            except Exception as error:  # noqa: BLE001  (a crash is a leak, not the end of the run)
                refusal = f"crash: {error!r}"
        calls = tuple(world.table.calls[start:])
        items = [world.table.items.get(key, {}) for key in sorted(world.changed_keys(), key=str)]
        effects = {"written": json.dumps(items, default=str), "handed out": world.handed_to_ports()}
        return Outcome(200 if not refusal else 422, refusal, effects, calls, "\n".join(lines))

    def _require_rejection(self, outcome: Outcome) -> Iterator[str]:
        if outcome.body != Rejected.__name__:
            yield f"is not rejected: {outcome.body or 'handled'}"
        if outcome.calls:
            yield f"calls the table: {outcome.calls[0].text}"

    def _find_leaks(
        self,
        subscription: AnySubscription,
        outcome: Outcome,
        control: Outcome,
        body: Mapping[str, Any],
        names: Mapping[str, str],
    ) -> Iterator[str]:
        if outcome.body.startswith("crash"):
            yield outcome.body
        reach = self._reach
        if (f"{self._world.name}.{subscription.name}", "USER") in HANDED_OVER:
            person = body["detail"]["data"].get("user_id")
            reach = Reach(reach.closed, reach.users | ({str(person)} if person else set()))
        yield from leaked_secrets(self._secrets, outcome, "", victim_values_in(self._world, json.dumps(body)))
        yield from (each for each in differences(outcome, control, names) if not each.startswith("headers"))
        yield from reach.strays(outcome.calls)
        yield from changes(self._world, reach)
        yield from self._foreign_memberships_changed()

    def _foreign_memberships_changed(self) -> Iterator[str]:
        """Changed rows of other people, except those of the attacker's organization."""
        own = f"USER#{self._world.mallory.id}#"
        for key in self._world.changed_keys():
            is_foreign = key.pk.startswith("USER#") and not key.pk.startswith(own)
            if is_foreign and not key.sk.endswith(f"#{self._world.attacker_org}"):
                yield f"changes {key.pk} {key.sk}"
