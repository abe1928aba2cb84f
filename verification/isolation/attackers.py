"""The attacks on a route: one request each, by everybody who must not get data of another organization."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from contracts.common import Role
from deploy.checks.permissions import permissions_of
from verification.isolation.judge import Reach, no_reach, reach_of
from verification.isolation.people import BAD_TOKENS
from verification.isolation.programs import bad_programs, program
from verification.isolation.requests import Template
from verification.isolation.samples import absent, names_of, only, victims
from verification.isolation.world import Request, World

REFUSED, FORBIDDEN = frozenset({401, 404}), frozenset({403})
ODD_IDS = ("{own}#A", "{victim}#A", "{own}#TASK#{victim}", "x/../{victim}", "..", "{victim}\x00", "%2e%2e", "é" * 30)

ALIKE = {
    ("assign_task", "path.user_id"): "the named person is not a member of the caller's organization: 422",
    ("unassign_task", "path.user_id"): "unassigning somebody who is not assigned changes nothing",
}
"""Ids in a path that are not the resource of the route: answered like ids that do not exist, but not with 404."""
KNOWN = {
    ("sign_up", "body.email"): "registering reveals that an address is taken, but not any organization",
    ("confirm_address", "body.email"): "the profile of a confirmed address is read before its code is refused",
    ("accept_invitation", "body.token"): "whoever has the secret token of an invitation knows that it exists",
    ("decline_invitation", "body.token"): "whoever has the secret token of an invitation knows that it exists",
}
"""Slots for which the answer, or the work for it, may differ from that for an id that does not exist, and why.

Even there, none of the victim's data may be shown or changed.
"""


@dataclass(frozen=True)
class Attack:
    """One attack. `control` is the same request by the same caller for ids that do not exist."""

    name: str
    request: Request
    token: str | None
    reach: Reach
    control: Request | None = None
    names: Mapping[str, str] = field(default_factory=dict)
    expected: frozenset[int] | None = None
    knows: tuple[str, ...] = ()
    """Values that the caller knows already, besides those in the request."""
    untouched: bool = False
    """Whether the request must be refused before any call to the table."""
    suspended: bool = False
    """Whether the victim's organization is suspended during the attack."""
    denied: str | None = None
    """The operation that the membership of the victim's second owner denies during the attack."""
    by_work: bool = True
    """Whether the answer and the work must be the same as for the control."""


def is_known(template: Template) -> bool:
    """Whether the answer to the whole request may differ from that for ids that do not exist."""
    return any((template.route.id, slot.label) in KNOWN for slot in template.slots)


class Attackers:
    """All attackers in one world. `prepare` creates their API keys in it."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._reach, self._no_reach = reach_of(world, world.mallory.id), no_reach(world)

    async def prepare(self) -> None:
        world, operations = self._world, permissions_of(self._world.name)
        self._own_program = await program(world, world.attacker_org, world.mallory.id, "own", *operations)
        self._scopeless = await program(world, world.victim_org, world.vera.id, "other", "other.thing.do")
        self._good = await program(world, world.victim_org, world.vera.id, "good", *operations)
        self._bad_programs = await bad_programs(world, *operations)

    def attacker(self, template: Template) -> tuple[str | None, Reach]:
        """The attacker's token, and what they may touch."""
        world = self._world
        if template.route.access == "public":
            return None, replace(self._reach, users=frozenset({"unknown", world.mallory.id}))
        return world.attacker, self._reach

    def attacks(self, template: Template) -> Iterator[Attack]:
        """Every attack that applies to a route."""
        yield from self.foreign_id_attacks(template)
        yield from self.odd_id_attacks(template)
        if template.route.access != "public":
            yield from self.bad_token_attacks(template)
        if template.route.access == "guarded":
            yield from self.outsider_attacks(template)
            yield from self.program_attacks(template)
            yield self.denied_attack(template)
        if template.route.access == "guarded" and not template.route.while_suspended:
            yield from self.suspended_attacks(template)

    def foreign_id_attacks(self, template: Template) -> Iterator[Attack]:
        """The attacker sends the victim's ids, in each slot alone and in all of them."""
        token, reach = self.attacker(template)
        is_for_staff = template.route.access == "staff"
        whole = Attack(
            "another organization's member",
            template.fill(victims),
            token,
            reach,
            expected=FORBIDDEN if is_for_staff else None,
        )
        for slot in template.slots:
            known = (template.route.id, slot.label) in KNOWN
            alike = not slot.label.startswith("path") or (template.route.id, slot.label) in ALIKE
            yield replace(
                whole,
                name=f"another organization's {slot.label}",
                request=template.fill(only(slot.label, victims)),
                control=template.fill(only(slot.label, absent)),
                names={slot.pair.victim: "<id>", slot.pair.absent: "<id>"},
                expected=FORBIDDEN if is_for_staff else None if alike else REFUSED,
                by_work=not known,
            )
        known = is_known(template)
        yield replace(whole, control=template.fill(absent), names=names_of(template.slots), by_work=not known)

    def odd_id_attacks(self, template: Template) -> Iterator[Attack]:
        """The attacker sends ids that could be mistaken for the victim's when keys are built."""
        token, reach = self.attacker(template)
        for slot in template.slots:
            for odd in ODD_IDS:
                value = odd.format(own=slot.pair.own, victim=slot.pair.victim)
                request = template.fill(only(slot.label, lambda _, value=value: value))  # type: ignore[misc]
                yield Attack(f"odd id in {slot.label}", request, token, reach)

    def bad_token_attacks(self, template: Template) -> Iterator[Attack]:
        """Somebody sends the victim's ids without a token, or with an invalid one."""
        world = self._world
        good, bad = world.vera.claims(world.victim_org), world.mallory.claims(world.attacker_org)
        tokens: dict[str, str | None] = {
            name: make(world.sut.issuer, world.sut.clock, good, bad) for name, make in BAD_TOKENS.items()
        }
        for name, token in ({"nobody": None} | tokens).items():
            yield Attack(
                name,
                template.fill(victims),
                token,
                self._no_reach,
                template.fill(absent),
                names_of(template.slots),
                frozenset({401}),
                untouched=True,
            )

    def outsider_attacks(self, template: Template) -> Iterator[Attack]:
        """A removed member, and a person without an organization, send the victim's ids."""
        world = self._world
        removed = world.removed.claims(world.victim_org, Role.ADMIN)
        for name, claims in (("removed member", removed), ("member of nothing", world.mallory.claims(None))):
            yield Attack(
                name,
                template.fill(victims),
                world.token(claims),
                replace(self._no_reach, users=frozenset({claims.user_id})),
                template.fill(absent),
                names_of(template.slots),
                REFUSED,
                knows=(claims.user_id, str(claims.org)),
            )

    def denied_attack(self, template: Template) -> Attack:
        """An owner whose membership denies the operation of this route."""
        world, operation = self._world, str(template.route.operation["x-operation"])
        owner = world.by_role[Role.OWNER]
        claims = owner.claims(world.victim_org).model_copy(update={"denies": (operation,)})
        return Attack(
            "denied operation",
            template.fill(victims),
            world.token(claims),
            replace(self._no_reach, closed=frozenset(), users=frozenset({owner.id})),
            expected=FORBIDDEN,
            knows=(owner.id, world.victim_org),
            denied=operation,
        )

    def suspended_attacks(self, template: Template) -> Iterator[Attack]:
        """Members of a suspended organization, in which not even its owner has access to this route."""
        world = self._world
        for person, role in ((world.vera, Role.OWNER), (world.by_role[Role.VIEWER], Role.VIEWER)):
            token = world.token(person.claims(world.victim_org, role))
            yield Attack(
                f"suspended organization's {role}",
                template.fill(victims),
                token,
                replace(self._no_reach, closed=frozenset(), users=frozenset({person.id})),
                expected=FORBIDDEN,
                knows=(person.id, world.victim_org),
                suspended=True,
            )
        yield Attack(
            "suspended organization's program",
            self._good.with_key(template.fill(victims)),
            None,
            replace(self._no_reach, closed=frozenset(), users=frozenset({world.vera.id})),
            expected=FORBIDDEN,
            knows=(self._good.key_id, world.victim_org),
            suspended=True,
        )

    def program_attacks(self, template: Template) -> Iterator[Attack]:
        """Programs: with the attacker's valid API key, and with the victim's invalid ones or one without the scope."""
        own_key, scopeless = self._own_program, self._scopeless
        whole = Attack(
            "another organization's API key",
            own_key.with_key(template.fill(victims)),
            None,
            replace(self._reach, keys=frozenset({own_key.key_id})),
            own_key.with_key(template.fill(absent)),
            names_of(template.slots),
            by_work=not is_known(template),
        )
        yield whole
        for name, key in self._bad_programs.items():
            yield replace(
                whole,
                name=name,
                request=key.with_key(template.fill(victims)),
                control=key.with_key(template.fill(absent)),
                reach=replace(self._no_reach, users=frozenset({key.holder}), keys=frozenset({key.key_id})),
                expected=frozenset({401}),
                knows=(key.key_id, key.holder, self._world.removed.id),
                by_work=True,
            )
        yield Attack(
            "API key without the scope",
            scopeless.with_key(template.fill(victims)),
            None,
            Reach(frozenset(), frozenset({scopeless.holder})),
            expected=frozenset({403}),
            knows=(scopeless.key_id, self._world.victim_org),
        )
