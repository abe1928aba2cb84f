"""Attacks by HTTP: every route, with another organization's ids, by everybody who must not get its data."""

import json
from collections.abc import Iterator
from dataclasses import replace

from contracts.common import Role
from verification.isolation.attackers import Attack, Attackers, is_known
from verification.isolation.judge import Report, changes, differences, leaked_secrets, secrets, victim_values_in
from verification.isolation.people import STAFF
from verification.isolation.requests import Route, Template, routes_of, templates_of
from verification.isolation.samples import Uncovered, absent, names_of, own, victims
from verification.isolation.world import Outcome, Request, World

KEY = "Idempotency-Key"
PRECONDITION_FAILED = 412
CONDITIONS = {"get": "If-None-Match", "put": "If-Match", "patch": "If-Match", "delete": "If-Match"}
ONLY_NUMBERS = frozenset({"count_unread_notifications", "show_keys"})
"""Routes whose answers have no text that could be planted (a count, public keys); their table calls are judged."""


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
                await self._attack_route(route)
                if self._report.attacks == before:
                    raise Uncovered(f"{route.name}: no attack applies to it; add one")
            except Uncovered as gap:
                self._report.uncovered.append(str(gap))

    async def _attack_route(self, route: Route) -> None:
        templates = [each for each in templates_of(self._world, route) if await self._is_worth_attacking(each)]
        if not templates:
            raise Uncovered(f"{route.name}: the owner's request is refused, too, so an attack proves nothing")
        for template in templates:
            for attack in self._attackers.attacks(template):
                await self._execute(route, attack)
            if route.has_cursor:
                await self._attack_with_cursor(template)
            if route.is_unsafe:
                await self._attack_with_key(template)
            if route.access != "public":
                await self._attack_with_tags(template)

    async def _is_worth_attacking(self, template: Template) -> bool:
        """Whether the owner's request succeeds. Raises Uncovered if its answer has nothing to steal."""
        self._world.restore()
        outcome, route = await self._send_as_owner(template), template.route
        if '"event": "request"' not in outcome.logs:
            raise Uncovered(f"{route.name}: its log lines cannot be read, so they cannot be judged")
        if outcome.status >= 300:
            return False
        has_secret = any(secret in outcome.body.lower() for secret in self._secrets)
        if route.method == "get" and not has_secret and route.id not in ONLY_NUMBERS:
            raise Uncovered(f"{route.name}: its answer has no text of its owner; seed one")
        return True

    async def _send_as_owner(self, template: Template, **headers: str) -> Outcome:
        """Send the owner's request; for a public route, the caller's own."""
        world, route = self._world, template.route
        request = template.fill(own if route.access == "public" else victims)
        request.headers |= headers
        if route.access == "public":
            return await world.send(request, None)
        holder = world.holders.get(route.id, world.vera)
        claims = STAFF.staff_claims() if route.access == "staff" else holder.claims(world.victim_org)
        return await world.send(request, world.token(claims))

    async def _attack_with_cursor(self, template: Template) -> None:
        world, route = self._world, template.route
        world.restore()
        holder = world.token(world.vera.claims(world.victim_org))
        page = await world.send(template.fill(victims, limit="1"), holder)
        cursor = json.loads(page.body).get("next")
        if cursor is None:
            raise Uncovered(f"{route.name}: the victim's list has no second page; seed two items")
        token, reach = self._attackers.attacker(template)
        missing = ("B" if cursor[0] == "A" else "A") + cursor[1:]
        attack = Attack(
            "another organization's cursor",
            template.fill(own, cursor=cursor),
            token,
            reach,
            template.fill(own, cursor=missing),
            {missing: "<cursor>", cursor: "<cursor>"},
            frozenset({422}),
        )
        await self._execute(route, attack)

    async def _attack_with_key(self, template: Template) -> None:
        """The owner sends a request with an Idempotency-Key; then the attacker sends that key, and an unused one."""
        token, reach = self._attackers.attacker(template)
        requests = {"for the owner's request": template.fill(victims)}
        if template.route.access != "public":
            requests["for their own request"] = template.fill(own)
        for name, request in requests.items():
            used, fresh = (replace(request, headers={**request.headers, KEY: key}) for key in ("used-key", "idle-key"))
            attack = Attack(f"another organization's {KEY} {name}", used, token, reach, fresh)
            known = is_known(template)
            await self._execute(template.route, replace(attack, by_work=not known), first=template)

    async def _attack_with_tags(self, template: Template) -> None:
        """A condition must not reveal the victim's entity tag. Raises Uncovered if a change ignores If-Match."""
        route, token, reach = template.route, *self._attackers.attacker(template)
        header = CONDITIONS.get(route.method)
        if header is None:
            return
        if header == "If-Match":
            self._world.restore()
            refused = await self._send_as_owner(template, **{header: '"0-0"'})
            if refused.status != PRECONDITION_FAILED:
                raise Uncovered(f"{route.name}: ignores If-Match; let its use case call scope.require_match")
        for tags in ("*", '"1-0000000000000000"'):
            foreign, missing = (
                replace(request, headers={**request.headers, header: tags})
                for request in (template.fill(victims), template.fill(absent))
            )
            attack = Attack(f"{header}: {tags}", foreign, token, reach, missing, names_of(template.slots))
            known = is_known(template)
            await self._execute(route, replace(attack, by_work=not known))

    async def _send(self, attack: Attack, request: Request, first: Template | None) -> Outcome:
        self._world.restore()
        if first is not None:
            await self._send_as_owner(first, **{KEY: "used-key"})
        if attack.suspended:
            self._world.suspend()
        if attack.denied is not None:
            self._world.override(self._world.by_role[Role.OWNER], denies=(attack.denied,))
        self._world.mark()
        return await self._world.send(request, attack.token)

    async def _execute(self, route: Route, attack: Attack, first: Template | None = None) -> None:
        control = await self._send(attack, attack.control, first) if attack.control else None
        outcome = await self._send(attack, attack.request, first)
        records = await self._world.denials()
        leaks = list(self._find_leaks(attack, outcome, control))
        if outcome.status == 403 and len(records) != 1:
            leaks.append(f"is refused with 403 and leaves {len(records)} records of it")
        self._report.count(route.name, attack.name, leaks)

    def _find_leaks(self, attack: Attack, outcome: Outcome, control: Outcome | None) -> Iterator[str]:
        if outcome.status >= 500:
            yield f"answers {outcome.status}: {outcome.logs[-600:]}"
        if attack.expected is not None and outcome.status not in attack.expected:
            yield f"answers {outcome.status}"
        if attack.untouched and outcome.calls:
            yield f"calls the table: {outcome.calls[0].text}"
        known = [*victim_values_in(self._world, str(attack.request)), *attack.knows]
        yield from leaked_secrets(self._secrets, outcome, "", known)
        if attack.by_work and control is not None:
            yield from differences(outcome, control, attack.names)
        if attack.by_work:
            yield from attack.reach.strays(outcome.calls)
        yield from changes(self._world, attack.reach)
