"""The claims of a token: the organization that it names, and what it says of the user."""

from typing import Any

from chassis.auth.tokens import TokenClaims
from chassis.clock import SystemClock, SystemIds
from chassis.testing.memory import MemoryTable
from chassis.testing.service import FakeBus
from chassis.work.context import Actor, Cause, ServiceContext
from chassis.work.outbox import Outbox
from chassis.work.scope import UserScope
from contracts.common import Role
from services.identity.memberships.claims import ACCOUNT, choose_membership, partition_of, token_claims, user_id_of
from services.identity.memberships.model import Membership

PROFILE = {"SK": "PROFILE", "email": "ada@acme.example", "name": "Ada", "active_org_id": "org_b"}


def membership(org_id: str, *, active: bool = True) -> Membership:
    return Membership(id=org_id, role=Role.MEMBER, active=active, version=1)


def row(org_id: str, role: str = "member", *, active: bool = True, version: int = 3) -> dict[str, Any]:
    return {"SK": f"MEMBERSHIP#{org_id}", "id": org_id, "role": role, "active": active, "version": version}


def claims(*rows: dict[str, Any]) -> dict[str, str]:
    return token_claims("user_ada", rows, email="from@provider.example", name="Provider")


def test_the_organization_switched_to_is_chosen() -> None:
    both = [membership("org_a"), membership("org_b")]
    assert choose_membership("org_b", both) == both[1]


def test_the_oldest_is_chosen_before_any_switch() -> None:
    assert choose_membership(None, [membership("org_b"), membership("org_a")]) == membership("org_a")


def test_the_oldest_is_chosen_when_the_one_switched_to_is_over() -> None:
    assert choose_membership("org_b", [membership("org_b", active=False), membership("org_c")]) == membership("org_c")


def test_nothing_is_chosen_when_all_are_over() -> None:
    assert choose_membership("org_a", [membership("org_a", active=False)]) is None
    assert choose_membership(None, []) is None


def test_a_token_names_person_organization_role_and_version() -> None:
    assert claims(PROFILE, row("org_a", "owner"), row("org_b", "manager", version=7)) == {
        "user_id": "user_ada",
        "email": "ada@acme.example",
        "name": "Ada",
        "org": "org_b",
        "role": "manager",
        "mv": "7",
    }


def test_our_verifier_reads_what_the_token_says() -> None:
    read = TokenClaims.model_validate(claims(PROFILE, row("org_b", "manager", version=7)))
    assert (read.org, read.role, read.mv) == ("org_b", Role.MANAGER, 7)


def test_a_token_carries_what_the_membership_grants_and_denies() -> None:
    overridden = row("org_b", "viewer") | {"grants": ["tasks.task.create", "files.file.create"], "denies": []}
    said = claims(PROFILE, overridden)
    assert (said["grants"], "denies" in said) == ("tasks.task.create files.file.create", False)
    read = TokenClaims.model_validate(said)
    assert (read.grants, read.denies) == (("tasks.task.create", "files.file.create"), ())


def test_nobody_is_staff_by_what_is_stored_of_them() -> None:
    said = claims(PROFILE | {"groups": ["superadmin"]}, row("org_b") | {"groups": ["superadmin"]})
    assert not TokenClaims.model_validate(said).is_staff
    assert TokenClaims.model_validate(said | {"cognito:groups": ["superadmin"]}).is_staff


def test_a_removed_member_has_no_claim_of_the_organization() -> None:
    said = claims(PROFILE, row("org_b", active=False))
    assert {"org", "role", "mv"}.isdisjoint(said)
    assert TokenClaims.model_validate(said).org is None


def test_the_provider_stands_in_for_a_profile_that_is_not_stored_yet() -> None:
    assert claims() == {"user_id": "user_ada", "email": "from@provider.example", "name": "Provider"}


def test_rows_of_other_kinds_are_no_memberships() -> None:
    assert "org" not in claims(PROFILE, {"SK": "A", "id": "org_x"})


def test_the_trigger_reads_the_partition_that_scopes_write() -> None:
    table, clock = MemoryTable(), SystemClock()
    context = ServiceContext("identity", table, Outbox(table, FakeBus(), clock), clock, SystemIds())
    assert UserScope(context, Actor(), Cause("c"), "user_ada").key(ACCOUNT).pk == partition_of("user_ada")


def test_user_ids_are_the_providers_without_its_punctuation() -> None:
    assert user_id_of("0B9E5C5A-77B1-4D0E-A0A4-1F3C6F1D2E3F") == "user_0b9e5c5a77b14d0ea0a41f3c6f1d2e3f"
