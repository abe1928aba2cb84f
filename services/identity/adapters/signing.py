"""The development issuer's signing key, stored in Secrets Manager: every process of a stage signs with the same key,
and tokens outlive a restart."""

import asyncio

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from awsjson import AwsError
from chassis.auth.development import DevelopmentIssuer
from chassis.aws.client import AwsCalls
from chassis.clock import Clock
from chassis.errors import Unavailable

SERVICE = "secretsmanager"


class StoredKeyIssuer:
    """The issuer that signs with the stored key, which is created if there is none yet. Of two processes that do so at
    once, the second uses the key of the first."""

    def __init__(self, calls: AwsCalls, secret: str, clock: Clock) -> None:
        self._calls, self._secret, self._clock = calls, secret, clock
        self._issuer: DevelopmentIssuer | None = None
        self._lock = asyncio.Lock()

    async def get(self) -> DevelopmentIssuer:
        """Raises Unavailable while the key can be neither read nor created."""
        async with self._lock:
            if self._issuer is None:
                self._issuer = DevelopmentIssuer(self._clock, await self._load_key())
            return self._issuer

    async def _load_key(self) -> RSAPrivateKey:
        try:
            pem = await self._read() or await self._create()
        except AwsError as error:
            raise Unavailable("The key that signs tokens can't be read; try again.") from error
        key = await asyncio.to_thread(load_pem_private_key, pem.encode(), None)
        if not isinstance(key, RSAPrivateKey):
            raise Unavailable(f"The secret {self._secret} holds no RSA key; delete it, and a new one is made.")
        return key

    async def _read(self) -> str | None:
        try:
            answer = await self._calls.call(SERVICE, "GetSecretValue", {"SecretId": self._secret})
        except AwsError as error:
            if error.code == "ResourceNotFoundException":
                return None
            raise
        return str(answer["SecretString"])

    async def _create(self) -> str:
        pem = await asyncio.to_thread(generate_pem)
        try:
            await self._calls.call(SERVICE, "CreateSecret", {"Name": self._secret, "SecretString": pem})
        except AwsError as error:
            if error.code != "ResourceExistsException":
                raise
            existing = await self._read()
            if existing is None:  # Secrets Manager shows a new secret a moment later
                raise Unavailable("The key that signs tokens is being made; try again.") from error
            return existing
        return pem


def generate_pem() -> str:
    """A new RSA key of 2048 bits."""
    key = generate_private_key(public_exponent=65537, key_size=2048)
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
