"""Keys of cursors come from a secret, and rotate while cursors are in use."""

import base64
from collections.abc import Mapping
from typing import Any

import pytest

from awsjson import AwsError
from chassis.aws.secrets import NO_SUCH, SecretCursorKeys
from chassis.errors import Invalid, Unavailable
from chassis.storage.cursors import MAC_BYTES, _decode, open_cursor, seal_cursor
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
    cursor = await seal_cursor(one, "tasks of acme", "0007#é")
    assert await open_cursor(other, "tasks of acme", cursor) == "0007#é"
    with pytest.raises(Invalid):
        await open_cursor(other, "tasks of globex", cursor)


async def test_context_and_position_cannot_be_confused() -> None:
    signature = _decode(await seal_cursor(FixedKeys(), "list of a\nb", "c"))[:MAC_BYTES]
    forged = base64.urlsafe_b64encode(signature + b"b\nc").decode().rstrip("=")
    with pytest.raises(Invalid):
        await open_cursor(FixedKeys(), "list of a", forged)


async def test_the_secret_is_read_once() -> None:
    secrets = Secrets("k1")
    keys = SecretCursorKeys(secrets, "s", FakeClock())
    for _ in range(3):
        await open_cursor(keys, "p", await seal_cursor(keys, "p", "1"))
    assert secrets.calls == 2


async def test_a_key_rotates_while_cursors_are_in_use() -> None:
    secrets, clock = Secrets("k1"), FakeClock()
    old = SecretCursorKeys(secrets, "s", clock)
    before = await seal_cursor(old, "p", "1")
    secrets.versions = ["k2", "k1"]
    new = SecretCursorKeys(secrets, "s", clock)
    after = await seal_cursor(new, "p", "2")
    assert await open_cursor(new, "p", before) == "1"
    clock.advance(minutes=2)
    assert await open_cursor(old, "p", after) == "2"
    secrets.versions = ["k3", "k2"]
    clock.advance(minutes=2)
    with pytest.raises(Invalid):
        await open_cursor(SecretCursorKeys(secrets, "s", clock), "p", before)


async def test_a_flood_of_forged_cursors_does_not_flood_secrets_manager() -> None:
    secrets, clock = Secrets("k1"), FakeClock()
    keys = SecretCursorKeys(secrets, "s", clock)
    forged = await seal_cursor(FixedKeys(b"another"), "p", "1")
    for _ in range(10):
        with pytest.raises(Invalid):
            await open_cursor(keys, "p", forged)
    assert secrets.calls == 2


@pytest.mark.parametrize("state", ["missing", "down"])
async def test_without_the_secret_nothing_is_signed(state: str) -> None:
    secrets = Secrets()
    secrets.down = state == "down"
    with pytest.raises(Unavailable):
        await seal_cursor(SecretCursorKeys(secrets, "s", FakeClock()), "p", "1")


@pytest.mark.parametrize("cursor", ["", "a", "____", "not base64!", "ü", "\x00", "A" * 22])
async def test_a_text_that_is_not_a_cursor_is_refused(cursor: str) -> None:
    with pytest.raises(Invalid) as refused:
        await open_cursor(FixedKeys(), "p", cursor)
    assert [error.field for error in refused.value.fields] == ["query.cursor"]
