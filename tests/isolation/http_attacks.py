"""Every route, attacked with what is another organization's, by everybody who must not get it."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from contracts.common import Role
from contracts.event import Envelope
from deploy.permissions import permissions_of
from tests.isolation.judge import Reach, Report, changes, differences, no_reach, reach_of, said, secrets, shown
from tests.isolation.people import BAD_TOKENS, STAFF
from tests.isolation.programs import bad_programs, program
from tests.isolation.requests import Route, Template, routes_of, templates_of
from tests.isolation.samples import Uncovered, absent, names_of, only, own, victims
from tests.isolation.world import Outcome, Request, World

KEY = "Idempotency-Key"
REFUSED, FORBIDDEN = frozenset({401, 404}), frozenset({403})
PRECONDITION_FAILED = 412
CONDITIONS = {"get": "If-None-Match", "put": "If-Match", "patch": "If-Match", "delete": "If-Match"}
ODD_IDS = ("{own}#A", "{victim}#A", "{own}#TASK#{victim}", "x/../{victim}", "..", "{victim}\x00", "%2e%2e", "é" * 30)

ALIKE = {
    ("assign_task", "path.user_id"): "who is named is no member of the caller's organization: 422",
    ("unassign_task", "path.user_id"): "taking a task from somebody who does not have it changes nothing",
}
"""References in a path that are no resource of the route: answered as what does not exist is, but not with 404."""
KNOWN = {
    ("sign_up", "body.email"): "registering tells that an address is taken; it names no organization",
    ("confirm_address", "body.email"): "the profile of a confirmed address is read before its code is refused",
    ("accept_invitation", "body.token"): "who holds an invitation's secret token knows that it exists",
    ("decline_invitation", "body.token"): "who holds an invitation's secret token knows that it exists",
}
"""Places in which the answer, or the work for it, may differ from that for what does not exist, and why. None of the
victim's data may be shown there either, and nothing of theirs be changed."""
ONLY_NUMBERS = frozenset({"count_unread_notifications", "show_keys"})
"""Answers without a word in them that could be planted (a count, public keys); the table calls must do."""


@dataclass(frozen=True)
class Attack:
    """`control` is the same request for what does not exist, sent by the same caller."""

    name: str
    request: Request
    token: str | None
    reach: Reach
    control: Request | None = None
    names: Mapping[str, str] = field(default_factory=dict)
    expected: frozenset[int] | None = None
    knows: tuple[str, ...] = ()
    """What the caller knows without being told, besides what they send."""
    untouched: bool = False
    """Refused before the table is asked anything."""
    suspended: bool = False
    """Whether the victim's organization is suspended meanwhile."""
    denied: str | None = None
    """The operation that the membership of the victim's second owner refuses meanwhile."""
    by_work: bool = True
    """Whether the answer and the work must be the same as the control's too."""


class HttpAttacks:
    """All attacks on the routes of one world."""

    def __init__(self, world: World, report: Report) -> None:
        self._world, self._report = world, report

    async def run(self) -> None:
        world = self._world
        world.restore()
        operations = permissions_of(world.name)
        self._own_program = await program(world, world.attacker_org, world.mallory.id, "own", *operations)
        self._scopeless = await program(world, world.victim_org, world.vera.id, "other", "other.thing.do")
        self._good = await program(world, world.victim_org, world.vera.id, "good", *operations)
        self._bad_programs = await bad_programs(world, *operations)
        world.save()
        self._secrets = secrets(world)
        self._reach, self._no_reach = reach_of(world, world.mallory.id), no_reach(world)
        for route in routes_of(self._world):
            self._report.routes += 1
            before = self._report.attacks
            try:
                await self._attack(route)
                if self._report.attacks == before:
                    raise Uncovered(f"{route.name}: no attack applies to it; write one")
            except Uncovered as gap:
                self._report.uncovered.append(str(gap))

    async def _attack(self, route: Route) -> None:
        templates = [each for each in templates_of(self._world, route) if await self._succeeds(each)]
        if not templates:
            raise Uncovered(f"{route.name}: its own request is refused too, so an attack on it proves nothing")
        for template in templates:
            for attack in self._attacks(template):
                await self._carry_out(route, attack)
            if route.has_cursor:
                await self._with_cursor(template)
            if route.is_unsafe:
                await self._with_key(template)
            if route.access != "public":
                await self._with_tags(template)

    async def _succeeds(self, template: Template) -> bool:
        """Whether there is anything to steal: it works for whom it belongs to, and shows them what is theirs."""
        self._world.restore()
        outcome, route = await self._rightful(template), template.route
        if '"event": "request"' not in outcome.logs:
            raise Uncovered(f"{route.name}: its log lines can't be read, so what they show can't be judged")
        if outcome.status >= 300:
            return False
        shows = any(secret in outcome.body.lower() for secret in self._secrets)
        if route.method == "get" and not shows and route.id not in ONLY_NUMBERS:
            raise Uncovered(f"{route.name}: shows its owner nothing that would be known as theirs; seed it")
        return True

    async def _rightful(self, template: Template, **headers: str) -> Outcome:
        """The request of whom it belongs to: for a public route, the caller's own."""
        world, route = self._world, template.route
        request = template.filled(own if route.access == "public" else victims)
        request.headers |= headers
        if route.access == "public":
            return await world.send(request, None)
        holder = world.holders.get(route.id, world.vera)
        claims = STAFF.staff_claims() if route.access == "staff" else holder.claims(world.victim_org)
        return await world.send(request, world.token(claims))

    # --- who attacks with what

    def _attacks(self, template: Template) -> Iterator[Attack]:
        yield from self._with_foreign_ids(template)
        yield from self._with_odd_ids(template)
        if template.route.access != "public":
            yield from self._with_bad_tokens(template)
        if template.route.access == "guarded":
            yield from self._of_outsiders(template)
            yield from self._of_programs(template)
            yield self._of_the_denied(template)
        if template.route.access == "guarded" and not template.route.while_suspended:
            yield from self._of_the_suspended(template)

    def _with_foreign_ids(self, template: Template) -> Iterator[Attack]:
        token, reach = self._attacker(template)
        staffs = template.route.access == "staff"
        whole = Attack(
            "another organization's member",
            template.filled(victims),
            token,
            reach,
            expected=FORBIDDEN if staffs else None,
        )
        for place in template.places:
            known = (template.route.id, place.label) in KNOWN
            alike = not place.label.startswith("path") or (template.route.id, place.label) in ALIKE
            yield replace(
                whole,
                name=f"another organization's {place.label}",
                request=template.filled(only(place.label, victims)),
                control=template.filled(only(place.label, absent)),
                names={place.pair.victim: "<id>", place.pair.absent: "<id>"},
                expected=FORBIDDEN if staffs else None if alike else REFUSED,
                by_work=not known,
            )
        known = any((template.route.id, place.label) in KNOWN for place in template.places)
        yield replace(whole, control=template.filled(absent), names=names_of(template.places), by_work=not known)

    def _with_odd_ids(self, template: Template) -> Iterator[Attack]:
        token, reach = self._attacker(template)
        for place in template.places:
            for odd in ODD_IDS:
                value = odd.format(own=place.pair.own, victim=place.pair.victim)
                request = template.filled(only(place.label, lambda _, value=value: value))  # type: ignore[misc]
                yield Attack(f"odd id in {place.label}", request, token, reach)

    def _with_bad_tokens(self, template: Template) -> Iterator[Attack]:
        world = self._world
        good, bad = world.vera.claims(world.victim_org), world.mallory.claims(world.attacker_org)
        tokens: dict[str, str | None] = {
            name: make(world.sut.issuer, world.sut.clock, good, bad) for name, make in BAD_TOKENS.items()
        }
        for name, token in ({"nobody": None} | tokens).items():
            yield Attack(
                name,
                template.filled(victims),
                token,
                self._no_reach,
                template.filled(absent),
                names_of(template.places),
                frozenset({401}),
                untouched=True,
            )

    def _of_outsiders(self, template: Template) -> Iterator[Attack]:
        world = self._world
        out = world.removed.claims(world.victim_org, Role.ADMIN)
        for name, claims in (("removed member", out), ("member of nothing", world.mallory.claims(None))):
            yield Attack(
                name,
                template.filled(victims),
                world.token(claims),
                replace(self._no_reach, users=frozenset({claims.user_id})),
                template.filled(absent),
                names_of(template.places),
                REFUSED,
                knows=(claims.user_id, str(claims.org)),
            )

    def _of_the_denied(self, template: Template) -> Attack:
        """An owner, whose membership refuses this one operation."""
        world, operation = self._world, str(template.route.operation["x-operation"])
        owner = world.by_role[Role.OWNER]
        claims = owner.claims(world.victim_org).model_copy(update={"denies": (operation,)})
        return Attack(
            "denied operation",
            template.filled(victims),
            world.token(claims),
            replace(self._no_reach, closed=frozenset(), users=frozenset({owner.id})),
            expected=FORBIDDEN,
            knows=(owner.id, world.victim_org),
            denied=operation,
        )

    def _of_the_suspended(self, template: Template) -> Iterator[Attack]:
        """Their own organization, in which they may next to nothing now: not even its owner."""
        world = self._world
        for person, role in ((world.vera, Role.OWNER), (world.by_role[Role.VIEWER], Role.VIEWER)):
            token = world.token(person.claims(world.victim_org, role))
            yield Attack(
                f"suspended organization's {role}",
                template.filled(victims),
                token,
                replace(self._no_reach, closed=frozenset(), users=frozenset({person.id})),
                expected=FORBIDDEN,
                knows=(person.id, world.victim_org),
                suspended=True,
            )
        yield Attack(
            "suspended organization's program",
            self._good.presented(template.filled(victims)),
            None,
            replace(self._no_reach, closed=frozenset(), users=frozenset({world.vera.id})),
            expected=FORBIDDEN,
            knows=(self._good.key_id, world.victim_org),
            suspended=True,
        )

    def _of_programs(self, template: Template) -> Iterator[Attack]:
        """With the attacker's own good key, with the victim's bad ones, and with one of theirs for something else."""
        own_key, scopeless = self._own_program, self._scopeless
        whole = Attack(
            "another organization's API key",
            own_key.presented(template.filled(victims)),
            None,
            replace(self._reach, keys=frozenset({own_key.key_id})),
            own_key.presented(template.filled(absent)),
            names_of(template.places),
            by_work=not any((template.route.id, place.label) in KNOWN for place in template.places),
        )
        yield whole
        for name, held in self._bad_programs.items():
            yield replace(
                whole,
                name=name,
                request=held.presented(template.filled(victims)),
                control=held.presented(template.filled(absent)),
                reach=replace(self._no_reach, users=frozenset({held.holder}), keys=frozenset({held.key_id})),
                expected=frozenset({401}),
                knows=(held.key_id, held.holder, self._world.removed.id),
                by_work=True,
            )
        yield Attack(
            "API key without the scope",
            scopeless.presented(template.filled(victims)),
            None,
            Reach(frozenset(), frozenset({scopeless.holder})),
            expected=frozenset({403}),
            knows=(scopeless.key_id, self._world.victim_org),
        )

    # --- what takes more than one request

    async def _with_cursor(self, template: Template) -> None:
        world, route = self._world, template.route
        world.restore()
        holder = world.token(world.vera.claims(world.victim_org))
        page = await world.send(template.filled(victims, limit="1"), holder)
        cursor = json.loads(page.body).get("next")
        if cursor is None:
            raise Uncovered(f"{route.name}: the victim's list has no second page; seed two items")
        token, reach = self._attacker(template)
        nobodys = ("B" if cursor[0] == "A" else "A") + cursor[1:]
        attack = Attack(
            "another organization's cursor",
            template.filled(own, cursor=cursor),
            token,
            reach,
            template.filled(own, cursor=nobodys),
            {nobodys: "<cursor>", cursor: "<cursor>"},
            frozenset({422}),
        )
        await self._carry_out(route, attack)

    async def _with_key(self, template: Template) -> None:
        """The owner sends their request with a key; then the attacker uses that key, and one that nobody used."""
        token, reach = self._attacker(template)
        requests = {"for the owner's request": template.filled(victims)}
        if template.route.access != "public":
            requests["for their own request"] = template.filled(own)
        for name, request in requests.items():
            used, fresh = (replace(request, headers={**request.headers, KEY: key}) for key in ("used-key", "idle-key"))
            attack = Attack(f"another organization's {KEY} {name}", used, token, reach, fresh)
            known = any((template.route.id, place.label) in KNOWN for place in template.places)
            await self._carry_out(template.route, replace(attack, by_work=not known), first=template)

    async def _with_tags(self, template: Template) -> None:
        """An entity tag of theirs tells nothing of what is theirs, and a change keeps to the one that it names."""
        route, token, reach = template.route, *self._attacker(template)
        header = CONDITIONS.get(route.method)
        if header is None:
            return
        if header == "If-Match":
            self._world.restore()
            refused = await self._rightful(template, **{header: '"0-0"'})
            if refused.status != PRECONDITION_FAILED:
                raise Uncovered(f"{route.name}: ignores If-Match; let its use case call scope.require_match")
        for tags in ("*", '"1-0000000000000000"'):
            theirs, nobodys = (
                replace(request, headers={**request.headers, header: tags})
                for request in (template.filled(victims), template.filled(absent))
            )
            attack = Attack(f"{header}: {tags}", theirs, token, reach, nobodys, names_of(template.places))
            known = any((route.id, place.label) in KNOWN for place in template.places)
            await self._carry_out(route, replace(attack, by_work=not known))

    # --- carrying it out

    def _attacker(self, template: Template) -> tuple[str | None, Reach]:
        world = self._world
        if template.route.access == "public":
            return None, replace(self._reach, users=frozenset({"unknown", world.mallory.id}))
        return world.attacker, self._reach

    async def _outcome(self, attack: Attack, request: Request, first: Template | None) -> Outcome:
        self._world.restore()
        if first is not None:
            await self._rightful(first, **{KEY: "used-key"})
        if attack.suspended:
            self._world.suspend()
        if attack.denied is not None:
            self._world.override(self._world.by_role[Role.OWNER], denies=(attack.denied,))
        self._world.mark()
        return await self._world.send(request, attack.token)

    async def _carry_out(self, route: Route, attack: Attack, first: Template | None = None) -> None:
        control = await self._outcome(attack, attack.control, first) if attack.control else None
        outcome = await self._outcome(attack, attack.request, first)
        recorded = await self._world.denials()
        found = [*self._judged(attack, outcome, control), *_unrecorded(outcome, recorded)]
        self._report.count(route.name, attack.name, found)

    def _judged(self, attack: Attack, outcome: Outcome, control: Outcome | None) -> Iterator[str]:
        if outcome.status >= 500:
            yield f"answers {outcome.status}: {outcome.logs[-600:]}"
        if attack.expected is not None and outcome.status not in attack.expected:
            yield f"answers {outcome.status}"
        if attack.untouched and outcome.calls:
            yield f"asks the table: {outcome.calls[0].text}"
        known = [*said(self._world, str(attack.request)), *attack.knows]
        yield from shown(self._secrets, outcome, "", known)
        if attack.by_work and control is not None:
            yield from differences(outcome, control, attack.names)
        if attack.by_work:
            yield from attack.reach.strays(outcome.calls)
        yield from changes(self._world, attack.reach)


def _unrecorded(outcome: Outcome, recorded: Sequence[Envelope]) -> Iterator[str]:
    """A refusal that audit would not know of, or one too many."""
    if outcome.status == 403 and len(recorded) != 1:
        yield f"is refused with 403 and leaves {len(recorded)} records of it"
