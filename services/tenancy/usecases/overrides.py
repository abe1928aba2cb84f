"""What a member may, or may not, whatever their role says."""

from collections.abc import Iterable, Iterator, Sequence
from difflib import get_close_matches

from chassis.errors import FieldError, Invalid, NotFound
from chassis.work.scope import OrgScope
from contracts.common import Role
from contracts.permissions import OPERATIONS
from contracts.tenancy import v1 as tenancy
from services.tenancy.errors import RoleTooHigh
from services.tenancy.model import Membership, check_changes
from services.tenancy.repository import Memberships
from services.tenancy.usecases.trying import again_if_stale

CHANGE_PERMISSIONS = "tenancy.member.change_permissions"


async def change_permissions(scope: OrgScope, user_id: str, grants: Sequence[str], denies: Sequence[str]) -> Membership:
    """The member's overrides are these, and no others. Raises NotFound, Invalid or RoleTooHigh."""
    granted, denied = tuple(sorted(set(grants))), tuple(sorted(set(denies)))
    _check_known(granted, denied)
    if user_id == scope.actor.person_id:
        raise RoleTooHigh(CHANGE_PERMISSIONS, "You cannot change your own permissions; ask another admin.")
    members = Memberships(scope)

    async def change() -> Membership:
        member = await members.active(user_id)
        if member is None:
            raise NotFound("member")
        scope.require_match(member)
        check_changes(scope.actor.role, member.role, CHANGE_PERMISSIONS)
        if (member.grants, member.denies) == (granted, denied):
            return member
        _check_role(member.role, granted, denied)
        _check_gives(scope, (set(granted) - set(member.grants)) | (set(member.denies) - set(denied)))
        unit = scope.unit_of_work()
        saved = members.save(unit, member.model_copy(update={"grants": granted, "denies": denied}))
        changed = tenancy.MemberPermissionsChanged(
            previous_grants=list(member.grants), previous_denies=list(member.denies), **saved.told()
        )
        unit.publish(changed, version=saved.version)
        return await unit.answer(saved)

    return await again_if_stale(change)


def _check_known(grants: Sequence[str], denies: Sequence[str]) -> None:
    """Raises Invalid."""
    wrong = [*_unknown("grants", grants), *_unknown("denies", denies)]
    wrong += [FieldError("body.denies", f"{each} is granted too.") for each in denies if each in grants]
    if wrong:
        raise Invalid(wrong[0].message, wrong)


def _unknown(field: str, operations: Iterable[str]) -> Iterator[FieldError]:
    for operation in operations:
        if operation not in OPERATIONS:
            nearest = get_close_matches(operation, OPERATIONS, n=1, cutoff=0)[0]
            yield FieldError(f"body.{field}", f"There is no operation {operation!r}; the nearest is {nearest!r}.")


def _check_role(role: Role, grants: Sequence[str], denies: Sequence[str]) -> None:
    """Raises Invalid for what no member of that role can have."""
    if role is Role.OWNER and (grants or denies):
        raise Invalid("An owner may everything, and nothing can be taken from them; change their role first.")
    owners = [operation for operation in grants if OPERATIONS[operation] is Role.OWNER]
    if owners:
        detail = f"{owners[0]} is an owner's alone; it cannot be granted."
        raise Invalid(detail, [FieldError("body.grants", detail)])


def _check_gives(scope: OrgScope, given: set[str]) -> None:
    """Nobody gives what they may not do themselves, by a grant or by the end of a denial. Raises RoleTooHigh."""
    for operation in sorted(given):
        least = OPERATIONS.get(operation)
        if least is None or not scope.actor.may(operation, least):
            raise RoleTooHigh(CHANGE_PERMISSIONS, f"You cannot give {operation}, which you may not do yourself.")
