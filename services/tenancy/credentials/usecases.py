"""Use cases of credentials. Their secrets are stored in the vault and never returned."""

from chassis.errors import AlreadyExists, NotFound
from chassis.resilience.retry import gather_bounded, retry_on_stale
from chassis.tenants.vault import Vault
from chassis.work.repository import Page, PageRequest
from chassis.work.scope import OrgScope
from services.tenancy.credentials.model import Credential
from services.tenancy.credentials.repository import CREDENTIALS, CredentialRepository

PURPOSE = "credentials"


async def list_credentials(scope: OrgScope, request: PageRequest) -> Page[Credential]:
    """All credentials, by name."""
    return await CredentialRepository(scope).page(CREDENTIALS, request)


async def store(scope: OrgScope, name: str, platform: str, secret: str) -> Credential:
    """Store a new credential, its secret sealed. Raises AlreadyExists, LimitReached."""
    credentials = CredentialRepository(scope)
    credential = Credential(
        id=name,
        platform=platform,
        sealed=await Vault(scope, PURPOSE).seal(name, secret.encode()),
        stored_by=scope.actor.person_id,
        stored_at=scope.now(),
    )
    unit = scope.unit_of_work()
    exists = AlreadyExists(f"There is a credential {name} already; put its new secret in its place, or remove it.")
    stored = credentials.create(unit, credential, on_conflict=exists)
    credentials.reserve_slot(unit)
    unit.publish(stored.stored_event(), version=stored.version)
    return await unit.answer(stored)


async def replace(scope: OrgScope, name: str, platform: str, secret: str) -> Credential:
    """Store another secret under the same name. Raises NotFound."""
    credentials = CredentialRepository(scope)

    async def change() -> Credential:
        credential = await credentials.get(name)
        scope.require_match(credential)
        update = {
            "platform": platform,
            "sealed": await Vault(scope, PURPOSE).seal(name, secret.encode()),
            "stored_by": scope.actor.person_id,
            "stored_at": scope.now(),
        }
        unit = scope.unit_of_work()
        saved = credentials.save(unit, credential.model_copy(update=update))
        unit.publish(saved.stored_event(), version=saved.version)
        return await unit.answer(saved)

    return await retry_on_stale(change)


async def remove(scope: OrgScope, name: str) -> None:
    """Remove a credential and its secret. Raises NotFound."""
    credentials = CredentialRepository(scope)

    async def change() -> None:
        credential = await credentials.get(name)
        scope.require_match(credential)
        unit = scope.unit_of_work()
        credentials.remove(unit, credential)
        credentials.release_slot(unit)
        unit.publish(credential.removed_event(), version=credential.version + 1)
        await unit.answer(None)

    await retry_on_stale(change)


async def rotate(scope: OrgScope) -> int:
    """Make a new data key and seal every credential by it. One that is stored meanwhile is sealed by it anyway. Returns
    how many there are. A repeated request continues where the first one was interrupted."""
    await Vault(scope, PURPOSE).rotate()
    names = [credential.id async for credential in CredentialRepository(scope).walk(CREDENTIALS)]
    await gather_bounded(names, lambda name: retry_on_stale(lambda: _reseal(scope, name)))
    return len(names)


async def _reseal(scope: OrgScope, name: str) -> None:
    credentials, vault = CredentialRepository(scope), Vault(scope, PURPOSE)
    try:
        credential = await credentials.get(name)
    except NotFound:  # removed meanwhile
        return
    sealed = await vault.seal(name, await vault.open(name, credential.sealed))
    unit = scope.unit_of_work(step=name)
    saved = credentials.save(unit, credential.model_copy(update={"sealed": sealed}))
    unit.publish(saved.rotated_event(), version=saved.version)
    await unit.commit()
