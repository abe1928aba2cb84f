"""The vault with a fake key service and with the embedded KMS: secrets open only where they were sealed."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest

from chassis.aws.client import Aws
from chassis.aws.kms import KmsKeys
from chassis.declare.service import Service, TableSpec
from chassis.errors import Conflict, TooLarge, Unavailable
from chassis.tenants.vault import DATA_KEY_LASTS, MAX_DATA_KEYS, MAX_SECRET_BYTES, KeyService, SecretUnreadable, Vault
from chassis.testing.keys import FakeKeys
from chassis.testing.service import ServiceUnderTest
from chassis.work.scope import OrgScope
from deploy.aws import LOCAL_CREDENTIALS, REGION
from deploy.embedded.emulator import Emulator

SECRET = b"hunter2 at jira"


@dataclass
class World:
    under_test: ServiceUnderTest
    keys: KeyService

    def scope(self, org_id: str = "org_acme") -> OrgScope:
        return self.under_test.scope(org_id=org_id)

    def vault(self, org_id: str = "org_acme", purpose: str = "credentials") -> Vault:
        return Vault(self.scope(org_id), purpose)


def world_on(keys: KeyService) -> World:
    service = Service("demo", api="none:none", table=TableSpec())
    return World(ServiceUnderTest(service, ports={KeyService: keys}), keys)


@pytest.fixture(params=["fake", pytest.param("ministack", marks=pytest.mark.ministack)])
async def world(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[World]:
    if request.param == "fake":
        yield world_on(FakeKeys())
        return
    emulator: Emulator = request.getfixturevalue("emulator")
    key_id = emulator.aws.client("kms").create_key()["KeyMetadata"]["KeyId"]
    for name, value in LOCAL_CREDENTIALS.items():
        monkeypatch.setenv(name, value)
    aws = Aws(REGION, emulator.endpoint_url)
    await aws.open()
    yield world_on(KmsKeys(aws, key_id))
    await aws.close()


@pytest.mark.parametrize("secret", [b"", SECRET, bytes(range(256)) * 64, b"x" * MAX_SECRET_BYTES], ids=len)
async def test_a_sealed_secret_opens_and_is_not_visible(world: World, secret: bytes) -> None:
    sealed = await world.vault().seal("jira", secret)
    assert await world.vault().open("jira", sealed) == secret
    if secret:
        assert secret not in sealed.encode()
    assert sealed != await world.vault().seal("jira", secret), "the same secret must not look the same twice"


async def test_another_organization_cannot_open_it(world: World) -> None:
    sealed = await world.vault().seal("jira", SECRET)
    await world.vault("org_other").seal("jira", b"theirs")
    await world.vault(purpose="webhooks").seal("jira", b"other purpose")
    for stranger in (world.vault("org_other"), world.vault(purpose="webhooks"), world.vault("org_empty")):
        with pytest.raises(SecretUnreadable):
            await stranger.open("jira", sealed)
    with pytest.raises(SecretUnreadable):
        await world.vault().open("slack", sealed)


async def test_a_stolen_data_key_is_refused_by_its_context(world: World) -> None:
    """Even if the wrapped key is copied into other rows: KMS knows the organization that it was made for."""
    mine, theirs = world.scope("org_mine"), world.scope("org_acme")
    sealed = await Vault(theirs, "credentials").seal("jira", SECRET)
    stolen = await theirs.table.get(theirs.key("DATAKEYS", "credentials"))
    assert stolen is not None
    values = {name: value for name, value in stolen.items() if name not in {"PK", "SK"}}
    unit = mine.unit_of_work()
    unit.add(mine.key("DATAKEYS", "credentials"), {}, set_attributes=values)
    await unit.commit()
    with pytest.raises(SecretUnreadable):
        await Vault(mine, "credentials").open("jira", sealed)


@pytest.mark.parametrize("damage", ["", "1", "1.", "x.YQ==", "1.!!", "0.YWFh", "9.YWFh", "-1.YWFh", "1.YWFh"])
async def test_a_text_that_the_vault_did_not_make_is_refused(damage: str) -> None:
    world = world_on(FakeKeys())
    await world.vault().seal("jira", SECRET)
    with pytest.raises(SecretUnreadable):
        await world.vault().open("jira", damage)


async def test_every_altered_character_is_noticed() -> None:
    world = world_on(FakeKeys())
    sealed = await world.vault().seal("jira", SECRET)
    for at in range(2, len(sealed) - 2):
        altered = sealed[:at] + ("A" if sealed[at] != "A" else "B") + sealed[at + 1 :]
        with pytest.raises(SecretUnreadable):
            await world.vault().open("jira", altered)


async def test_data_keys_rotate_and_older_secrets_stay_readable(world: World) -> None:
    first = await world.vault().seal("jira", SECRET)
    assert await world.vault().rotate() == 2
    second = await world.vault().seal("jira", SECRET)
    assert (first.split(".")[0], second.split(".")[0]) == ("1", "2")
    assert await world.vault().open("jira", first) == await world.vault().open("jira", second) == SECRET


async def test_an_old_data_key_is_not_used_any_more() -> None:
    world = world_on(FakeKeys())
    before = await world.vault().seal("jira", SECRET)
    world.under_test.clock.advance(seconds=DATA_KEY_LASTS.total_seconds() - 1)
    assert (await world.vault().seal("jira", SECRET)).startswith("1.")
    world.under_test.clock.advance(seconds=1)
    assert (await world.vault().seal("jira", SECRET)).startswith("2.")
    assert await world.vault().open("jira", before) == SECRET


async def test_concurrent_first_uses_agree_on_one_key() -> None:
    world = world_on(FakeKeys())
    sealed = await asyncio.gather(*(world.vault().seal(f"name{n}", SECRET) for n in range(20)))
    assert {one.split(".")[0] for one in sealed} == {"1"}
    assert [await world.vault().open(f"name{n}", one) for n, one in enumerate(sealed)] == [SECRET] * 20


async def test_secrets_have_a_maximum_size() -> None:
    world = world_on(FakeKeys())
    with pytest.raises(TooLarge):
        await world.vault().seal("jira", b"x" * (MAX_SECRET_BYTES + 1))
    for _ in range(MAX_DATA_KEYS):
        await world.vault().rotate()
    with pytest.raises(Conflict, match=str(MAX_DATA_KEYS)):
        await world.vault().rotate()


async def test_without_its_keys_the_vault_is_unavailable_and_changes_nothing() -> None:
    world = world_on(keys := FakeKeys())
    keys.down = True
    with pytest.raises(Unavailable):
        await world.vault().seal("jira", SECRET)
    assert await world.scope().table.get(world.scope().key("DATAKEYS", "credentials")) is None
