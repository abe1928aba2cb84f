"""Keys kept in Secrets Manager."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from awsjson import AwsError
from chassis.aws.client import AwsCalls
from chassis.clock import Clock
from chassis.errors import Unavailable

TIMEOUT = 5.0
REREAD_PAUSE = timedelta(minutes=1)
CURRENT, PREVIOUS = "AWSCURRENT", "AWSPREVIOUS"
NO_SUCH = "ResourceNotFoundException"


class SecretCursorKeys:
    """The port CursorKeys on a secret of Secrets Manager, read at first use: its current version and the one before."""

    def __init__(self, calls: AwsCalls, secret: str, clock: Clock) -> None:
        self._calls, self._secret, self._clock = calls, secret, clock
        self._keys: tuple[bytes, ...] = ()
        self._read_at: datetime | None = None

    async def keys(self) -> Sequence[bytes]:
        return self._keys or await self._read()

    async def newer(self) -> Sequence[bytes]:
        if self._read_at is not None and self._clock.now() - self._read_at < REREAD_PAUSE:
            return self._keys
        return await self._read()

    async def _read(self) -> Sequence[bytes]:
        versions = [await self._version(CURRENT), await self._version(PREVIOUS)]
        self._keys, self._read_at = tuple(key for key in versions if key is not None), self._clock.now()
        if not self._keys:
            raise Unavailable(f"The secret {self._secret} is missing; deploy the platform's stack.")
        return self._keys

    async def _version(self, stage: str) -> bytes | None:
        asked = {"SecretId": self._secret, "VersionStage": stage}
        try:
            answer = await self._calls.call("secretsmanager", "GetSecretValue", asked, timeout=TIMEOUT)
        except AwsError as error:
            if error.code == NO_SUCH:
                return None
            raise Unavailable("The key of cursors can't be read; try again.") from error
        return str(answer["SecretString"]).encode()
