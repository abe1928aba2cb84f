"""Credentials of other platforms, kept in the vault. Their secrets come in and are never shown again."""

from chassis.errors import AlreadyExists, NotFound
from chassis.tenants.vault import Vault
from chassis.work.repository import Page, PageRequest
from chassis.work.scope import OrgScope
from contracts.tenancy import v1 as tenancy
from services.tenancy.model import Credential
from services.tenancy.repository import CREDENTIALS, Credentials
from services.tenancy.usecases.trying import again_if_stale, for_each

PURPOSE = "credentials"


async def list_credentials(scope: OrgScope, request: PageRequest) -> Page[Credential]:
    """By name."""
    return await Credentials(scope).page(CREDENTIALS, request)


async def store(scope: OrgScope, name: str, platform: str, secret: str) -> Credential:
    """Raises AlreadyExists, LimitReached."""
    credentials = Credentials(scope)
    fresh = Credential(
        id=name,
        platform=platform,
        sealed=await Vault(scope, PURPOSE).seal(name, secret.encode()),
        stored_by=scope.actor.person_id,
        stored_at=scope.now(),
    )
    unit = scope.unit_of_work()
    there = AlreadyExists(f"There is a credential {name} already; put its new secret in its place, or remove it.")
    stored = credentials.create(unit, fresh, on_conflict=there)
    credentials.take_place(unit)
    unit.publish(tenancy.CredentialStored(name=name, platform=platform), version=stored.version)
    return await unit.answer(stored)


async def replace(scope: OrgScope, name: str, platform: str, secret: str) -> Credential:
    """Another secret under the same name. Raises NotFound."""
    credentials = Credentials(scope)

    async def change() -> Credential:
        known = await credentials.get(name)
        scope.require_match(known)
        update = {
            "platform": platform,
            "sealed": await Vault(scope, PURPOSE).seal(name, secret.encode()),
            "stored_by": scope.actor.person_id,
            "stored_at": scope.now(),
        }
        unit = scope.unit_of_work()
        stored = credentials.save(unit, known.model_copy(update=update))
        unit.publish(tenancy.CredentialStored(name=name, platform=platform), version=stored.version)
        return await unit.answer(stored)

    return await again_if_stale(change)


async def remove(scope: OrgScope, name: str) -> None:
    """Raises NotFound."""
    credentials = Credentials(scope)

    async def change() -> None:
        known = await credentials.get(name)
        scope.require_match(known)
        unit = scope.unit_of_work()
        credentials.remove(unit, known)
        credentials.free_place(unit)
        removed = tenancy.CredentialRemoved(name=name, platform=known.platform)
        unit.publish(removed, version=known.version + 1)
        await unit.answer(None)

    await again_if_stale(change)


async def rotate(scope: OrgScope) -> int:
    """A new data key, and every credential sealed by it; one that is stored meanwhile is by itself. Returns how many
    there are. A repeat goes on where a first try was interrupted."""
    await Vault(scope, PURPOSE).rotate()
    names = [each.id async for each in Credentials(scope).walk(CREDENTIALS)]
    await for_each(names, lambda name: again_if_stale(lambda: _seal_again(scope, name)))
    return len(names)


async def _seal_again(scope: OrgScope, name: str) -> None:
    credentials, vault = Credentials(scope), Vault(scope, PURPOSE)
    try:
        known = await credentials.get(name)
    except NotFound:  # removed meanwhile
        return
    sealed = await vault.seal(name, await vault.open(name, known.sealed))
    unit = scope.unit_of_work(step=name)
    saved = credentials.save(unit, known.model_copy(update={"sealed": sealed}))
    unit.publish(tenancy.CredentialRotated(name=name, platform=known.platform), version=saved.version)
    await unit.commit()
