"""Who attacks a route with what: attacks of one request each, by everybody who must not get what is another's."""

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


def is_known(template: Template) -> bool:
    """Whether the answer to the whole request may differ from that for what does not exist."""
    return any((template.route.id, place.label) in KNOWN for place in template.places)


class Attackers:
    """Of one world. `prepare` makes their API keys in it."""

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
        world = self._world
        if template.route.access == "public":
            return None, replace(self._reach, users=frozenset({"unknown", world.mallory.id}))
        return world.attacker, self._reach

    def attacks(self, template: Template) -> Iterator[Attack]:
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
        token, reach = self.attacker(template)
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
        known = is_known(template)
        yield replace(whole, control=template.filled(absent), names=names_of(template.places), by_work=not known)

    def _with_odd_ids(self, template: Template) -> Iterator[Attack]:
        token, reach = self.attacker(template)
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
            self._good.with_key(template.filled(victims)),
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
            own_key.with_key(template.filled(victims)),
            None,
            replace(self._reach, keys=frozenset({own_key.key_id})),
            own_key.with_key(template.filled(absent)),
            names_of(template.places),
            by_work=not is_known(template),
        )
        yield whole
        for name, held in self._bad_programs.items():
            yield replace(
                whole,
                name=name,
                request=held.with_key(template.filled(victims)),
                control=held.with_key(template.filled(absent)),
                reach=replace(self._no_reach, users=frozenset({held.holder}), keys=frozenset({held.key_id})),
                expected=frozenset({401}),
                knows=(held.key_id, held.holder, self._world.removed.id),
                by_work=True,
            )
        yield Attack(
            "API key without the scope",
            scopeless.with_key(template.filled(victims)),
            None,
            Reach(frozenset(), frozenset({scopeless.holder})),
            expected=frozenset({403}),
            knows=(scopeless.key_id, self._world.victim_org),
        )
