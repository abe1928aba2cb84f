"""Every route, attacked with what is another organization's, by everybody who must not get it."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace

from contracts.common import Role
from contracts.event import Envelope
from verification.isolation.attackers import Attack, Attackers, is_known
from verification.isolation.judge import Report, changes, differences, said, secrets, shown
from verification.isolation.people import STAFF
from verification.isolation.requests import Route, Template, routes_of, templates_of
from verification.isolation.samples import Uncovered, absent, names_of, own, victims
from verification.isolation.world import Outcome, Request, World

KEY = "Idempotency-Key"
PRECONDITION_FAILED = 412
CONDITIONS = {"get": "If-None-Match", "put": "If-Match", "patch": "If-Match", "delete": "If-Match"}
ONLY_NUMBERS = frozenset({"count_unread_notifications", "show_keys"})
"""Answers without a word in them that could be planted (a count, public keys); the table calls must do."""


class HttpAttacks:
    """All attacks on the routes of one world."""

    def __init__(self, world: World, report: Report) -> None:
        self._world, self._report = world, report

    async def run(self) -> None:
        world = self._world
        world.restore()
        self._attackers = Attackers(world)
        await self._attackers.prepare()
        world.save()
        self._secrets = secrets(world)
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
            for attack in self._attackers.attacks(template):
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

    async def _with_cursor(self, template: Template) -> None:
        world, route = self._world, template.route
        world.restore()
        holder = world.token(world.vera.claims(world.victim_org))
        page = await world.send(template.filled(victims, limit="1"), holder)
        cursor = json.loads(page.body).get("next")
        if cursor is None:
            raise Uncovered(f"{route.name}: the victim's list has no second page; seed two items")
        token, reach = self._attackers.attacker(template)
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
        token, reach = self._attackers.attacker(template)
        requests = {"for the owner's request": template.filled(victims)}
        if template.route.access != "public":
            requests["for their own request"] = template.filled(own)
        for name, request in requests.items():
            used, fresh = (replace(request, headers={**request.headers, KEY: key}) for key in ("used-key", "idle-key"))
            attack = Attack(f"another organization's {KEY} {name}", used, token, reach, fresh)
            known = is_known(template)
            await self._carry_out(template.route, replace(attack, by_work=not known), first=template)

    async def _with_tags(self, template: Template) -> None:
        """An entity tag of theirs tells nothing of what is theirs, and a change keeps to the one that it names."""
        route, token, reach = template.route, *self._attackers.attacker(template)
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
            known = is_known(template)
            await self._carry_out(route, replace(attack, by_work=not known))

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
