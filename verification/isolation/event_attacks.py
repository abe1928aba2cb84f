"""Every event of every subscription, forged in its envelope, or with what is another organization's in its data."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from chassis.declare.subscription import AnySubscription, ExternalSubscription, Subscription
from chassis.errors import Rejected, TenfoldError
from chassis.storage.keys import Key
from contracts.catalog import load_all
from contracts.event import SOURCE_PREFIX, Event
from verification.isolation.judge import Reach, Report, changes, differences, no_reach, reach_of, said, secrets, shown
from verification.isolation.samples import (
    Choose,
    Place,
    Sampler,
    Uncovered,
    absent,
    filled,
    names_of,
    only,
    places,
    victims,
)
from verification.isolation.world import Outcome, World, watched

NEWER = 9
"""A version above all that the seeds made, so that no subscription to the latest state passes over the event."""
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
    ("identity.memberships", "USER"): "the rows of an account are its memberships; the event's org adds its own, only",
}
"""What an organization's event may write into somebody's own rows, and why."""


@dataclass(frozen=True)
class Sample:
    """An event of a contract with places in its data."""

    event: type[Event]
    data: dict[str, Any]

    @property
    def places(self) -> list[Place]:
        return list(places(self.data))

    def body(
        self, world: World, org: Any, choose: Choose, *, outer: Mapping[str, str] | None = None, **inner: str
    ) -> dict[str, Any]:
        """As the bus delivers it. `outer` replaces members of the bus's event, `inner` those of the envelope."""
        data = filled(self.data, choose)
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
        said = {"source": detail["source"], "detail-type": detail["type"], "detail": detail | inner}
        return {**said, **(outer or {})}


class EventAttacks:
    """All attacks on the subscriptions of one world."""

    def __init__(self, world: World, report: Report) -> None:
        self._world, self._report = world, report
        world.restore()
        self._secrets = secrets(world)
        self._reach, self._no_reach = reach_of(world, world.mallory.id), no_reach(world)

    async def run(self) -> None:
        for subscription in self._world.sut.service.load_subscriptions():
            self._report.subscriptions += 1
            if isinstance(subscription, Subscription):
                await self._attack(subscription)
                continue
            try:
                await self._attack_external(subscription)
            except Uncovered as gap:
                self._report.uncovered.append(str(gap))

    async def _attack(self, subscription: Subscription) -> None:
        known = load_all()
        for event_type in known if subscription.any_handler else subscription.types:
            try:
                await self._attack_with(subscription, known[event_type])
            except Uncovered as gap:
                self._report.uncovered.append(str(gap))

    async def _attack_with(self, subscription: Subscription, event: type[Event]) -> None:
        world, schema = self._world, event.model_json_schema()
        sampler = Sampler(world, event.event_type, schema.get("$defs", {}), words="wicked")
        sample = Sample(event, sampler.value("", schema, "data"))
        await self._rightful(subscription, sample.body(world, world.victim_org, victims), event.event_type)
        await self._forged(subscription, sample)
        await self._crossed(subscription, sample)

    async def _rightful(self, subscription: AnySubscription, body: dict[str, Any], name: str) -> None:
        """The victim's own event is taken, or an attack with its like proves nothing."""
        outcome = await self._delivered(subscription, body)
        if not outcome.calls or outcome.body not in {"", "NotYet"}:
            raise Uncovered(f"{subscription.name}: {name}: its own event is refused too: {outcome.body or 'no calls'}")

    async def _forged(self, subscription: Subscription, sample: Sample) -> None:
        """Refused before anything is read: there is no organization, or not the owner's word."""
        world, real = self._world, sample.event.event_type
        bodies = {f"orgid {org!r}": sample.body(world, org, victims) for org in FORGED_ORGS}
        for source in ("tenfold.other", "aws.s3", "evil.tasks"):
            bodies[f"source {source}"] = sample.body(world, world.victim_org, victims, outer={"source": source})
            bodies[f"envelope's source {source}"] = sample.body(world, world.victim_org, victims, source=source)
        other = "audit.record.kept.v1"
        bodies["another detail type"] = sample.body(world, world.victim_org, victims, outer={"detail-type": other})
        bodies["another type inside"] = sample.body(world, world.victim_org, victims, type=other)
        for name, body in bodies.items():
            outcome = await self._delivered(subscription, body)
            self._report.count(f"{subscription.name} {real}", f"forged: {name}", self._refused(outcome))

    async def _crossed(self, subscription: Subscription, sample: Sample) -> None:
        """The attacker's organization, with the victim's ids in the data."""
        world, org = self._world, self._world.attacker_org
        choices = {f"another organization's {place.label}": place.label for place in sample.places}
        attacks = {name: (only(label, victims), only(label, absent)) for name, label in choices.items()}
        attacks["another organization's data"] = (victims, absent)
        names = names_of(sample.places)
        for name, (theirs, nobodys) in attacks.items():
            control = await self._delivered(subscription, sample.body(world, org, nobodys))
            body = sample.body(world, org, theirs)
            outcome = await self._delivered(subscription, body)
            found = self._judged(subscription, outcome, control, body, names)
            self._report.count(f"{subscription.name} {sample.event.event_type}", name, found)

    async def _attack_external(self, subscription: ExternalSubscription) -> None:
        world = self._world
        if subscription.name not in world.externals:
            raise Uncovered(f"{subscription.name}: add its event to verification/isolation/seeds/{world.name}.py")
        make, pair = world.externals[subscription.name]
        await self._rightful(subscription, make(world.victim_org, pair.victim), subscription.detail_type)
        control = await self._delivered(subscription, make(world.attacker_org, pair.absent))
        body = make(world.attacker_org, pair.victim)
        outcome = await self._delivered(subscription, body)
        names = {pair.victim: "<id>", pair.absent: "<id>"}
        found = self._judged(subscription, outcome, control, body, names)
        self._report.count(subscription.name, "another organization's resource under the own prefix", found)
        for key in FORGED_KEYS:
            text = json.dumps(make(world.victim_org, pair.victim))
            forged = key.format(own=world.attacker_org, victim=world.victim_org, file=pair.victim)
            text = text.replace(f"{world.victim_org}/{pair.victim}/original", forged)
            outcome = await self._delivered(subscription, json.loads(text))
            self._report.count(subscription.name, f"forged key {forged!r}", self._refused(outcome))

    # --- carrying it out

    async def _delivered(self, subscription: AnySubscription, body: Mapping[str, Any]) -> Outcome:
        """`body` of the outcome is the name of the error, or nothing; `headers` hold what was written and sent."""
        world = self._world
        world.restore()
        start = len(world.table.calls)
        with watched() as lines:
            refusal = ""
            try:
                await world.sut.deliver_raw(subscription, dict(body))
            except TenfoldError as error:
                refusal = type(error).__name__
            except Exception as error:  # noqa: BLE001  (a crash is a finding, not the end of the run)
                refusal = f"crash: {error!r}"
        calls = tuple(world.table.calls[start:])
        left = {"written": self._written(), "handed out": world.handed_to_ports()}
        return Outcome(200 if not refusal else 422, refusal, left, calls, "\n".join(lines))

    def _written(self) -> str:
        items = self._world.table.items
        return json.dumps([items.get(key, {}) for key in sorted(self._world.changed_keys(), key=str)], default=str)

    def _refused(self, outcome: Outcome) -> Iterator[str]:
        if outcome.body != Rejected.__name__:
            yield f"is not rejected: {outcome.body or 'handled'}"
        if outcome.calls:
            yield f"asks the table: {outcome.calls[0].text}"

    def _judged(
        self,
        subscription: AnySubscription,
        outcome: Outcome,
        control: Outcome,
        body: Mapping[str, Any],
        names: Mapping[str, str],
    ) -> Iterator[str]:
        if outcome.body.startswith("crash"):
            yield outcome.body
        reach = self._reach_with(subscription, body)
        yield from shown(self._secrets, outcome, "", said(self._world, json.dumps(body)))
        yield from (each for each in differences(outcome, control, names) if not each.startswith("headers"))
        yield from reach.strays(outcome.calls)
        yield from changes(self._world, reach)
        yield from self._beyond_handed_over(subscription)

    def _reach_with(self, subscription: AnySubscription, body: Mapping[str, Any]) -> Reach:
        """With the person whom the event is about, where that is what the subscription is for."""
        consumer = f"{self._world.name}.{subscription.name}"
        if (consumer, "USER") not in HANDED_OVER:
            return self._reach
        whom = body["detail"]["data"].get("user_id")
        return Reach(self._reach.closed, self._reach.users | ({str(whom)} if whom else set()))

    def _beyond_handed_over(self, subscription: AnySubscription) -> Iterator[str]:
        """In somebody's own rows, only the row that bears the attacker's organization may have changed."""
        for key in self._world.changed_keys():
            if self._is_others(key) and not key.sk.endswith(f"#{self._world.attacker_org}"):
                yield f"changes {key.pk} {key.sk}"

    def _is_others(self, key: Key) -> bool:
        return key.pk.startswith("USER#") and not key.pk.startswith(f"USER#{self._world.mallory.id}#")
