"""Keys of cursors come from a secret, and rotate while cursors are in use."""

from collections.abc import Mapping
from typing import Any

import pytest

from awsjson import AwsError
from chassis.aws.secrets import NO_SUCH, SecretCursorKeys
from chassis.errors import Invalid, Unavailable
from chassis.storage.cursors import MAC_BYTES, _decoded, _encoded, opened, sealed
from chassis.testing.service import FakeClock, FixedKeys


class Secrets:
    """Secrets Manager with one secret: its current version and the previous one."""

    def __init__(self, *versions: str) -> None:
        self.versions, self.calls, self.down = list(versions), 0, False

    async def call(
        self, service: str, operation: str, params: Mapping[str, Any], *, timeout: float | None = None
    ) -> dict[str, Any]:
        assert (service, operation, params["SecretId"]) == ("secretsmanager", "GetSecretValue", "s")
        self.calls += 1
        if self.down:
            raise AwsError("InternalServiceError", "down")
        wanted = ("AWSCURRENT", "AWSPREVIOUS").index(params["VersionStage"])
        if wanted >= len(self.versions):
            raise AwsError(NO_SUCH, "no such version")
        return {"SecretString": self.versions[wanted]}


async def test_a_cursor_opens_in_every_process_and_in_its_context_only() -> None:
    one, other = (SecretCursorKeys(Secrets("k1"), "s", FakeClock()) for _ in range(2))
    cursor = await sealed(one, "tasks of acme", "0007#é")
    assert await opened(other, "tasks of acme", cursor) == "0007#é"
    with pytest.raises(Invalid):
        await opened(other, "tasks of globex", cursor)


async def test_context_and_position_cannot_be_confused() -> None:
    signature = _decoded(await sealed(FixedKeys(), "list of a\nb", "c"))[:MAC_BYTES]
    forged = _encoded(signature + b"b\nc")
    with pytest.raises(Invalid):
        await opened(FixedKeys(), "list of a", forged)


async def test_the_secret_is_read_once() -> None:
    secrets = Secrets("k1")
    keys = SecretCursorKeys(secrets, "s", FakeClock())
    for _ in range(3):
        await opened(keys, "p", await sealed(keys, "p", "1"))
    assert secrets.calls == 2


async def test_a_key_rotates_while_cursors_are_in_use() -> None:
    secrets, clock = Secrets("k1"), FakeClock()
    old = SecretCursorKeys(secrets, "s", clock)
    before = await sealed(old, "p", "1")
    secrets.versions = ["k2", "k1"]
    new = SecretCursorKeys(secrets, "s", clock)
    after = await sealed(new, "p", "2")
    assert await opened(new, "p", before) == "1"
    clock.advance(minutes=2)
    assert await opened(old, "p", after) == "2"
    secrets.versions = ["k3", "k2"]
    clock.advance(minutes=2)
    with pytest.raises(Invalid):
        await opened(SecretCursorKeys(secrets, "s", clock), "p", before)


async def test_a_flood_of_forged_cursors_does_not_flood_secrets_manager() -> None:
    secrets, clock = Secrets("k1"), FakeClock()
    keys = SecretCursorKeys(secrets, "s", clock)
    forged = await sealed(FixedKeys(b"another"), "p", "1")
    for _ in range(10):
        with pytest.raises(Invalid):
            await opened(keys, "p", forged)
    assert secrets.calls == 2


@pytest.mark.parametrize("state", ["missing", "down"])
async def test_without_the_secret_nothing_is_signed(state: str) -> None:
    secrets = Secrets()
    secrets.down = state == "down"
    with pytest.raises(Unavailable):
        await sealed(SecretCursorKeys(secrets, "s", FakeClock()), "p", "1")


@pytest.mark.parametrize("cursor", ["", "a", "____", "not base64!", "ü", "\x00", "A" * 22])
async def test_a_text_that_is_not_a_cursor_is_refused(cursor: str) -> None:
    with pytest.raises(Invalid) as refused:
        await opened(FixedKeys(), "p", cursor)
    assert [error.field for error in refused.value.fields] == ["query.cursor"]
