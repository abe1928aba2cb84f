"""The vault's keys in AWS KMS."""

import os
from collections.abc import Mapping

from pydantic_settings import BaseSettings, SettingsConfigDict

from awsjson import AwsError
from chassis.aws.client import Aws, AwsCalls
from chassis.declare.stack import StackPart
from chassis.errors import Unavailable
from chassis.tenants.vault import NONCE_BYTES, ORG, PURPOSE, SecretUnreadable

TIMEOUT = 5.0
KEY = "VaultKey"
WRONG_CONTEXT = frozenset({"InvalidCiphertextException", "IncorrectKeyException"})


class VaultSettings(BaseSettings):
    """The master key that the service's stack created."""

    model_config = SettingsConfigDict(extra="ignore", frozen=True)

    vault_key: str


class KmsKeys:
    """Data keys under one symmetric key of KMS."""

    def __init__(self, calls: AwsCalls, key_id: str) -> None:
        self._calls, self._key_id = calls, key_id

    async def make(self, context: Mapping[str, str]) -> tuple[bytes, bytes]:
        params = {"KeyId": self._key_id, "KeySpec": "AES_256", "EncryptionContext": dict(context)}
        try:
            answer = await self._calls.call("kms", "GenerateDataKey", params, timeout=TIMEOUT)
        except AwsError as error:
            raise Unavailable(f"KMS makes no data key now: {error.code}.") from error
        return answer["Plaintext"], answer["CiphertextBlob"]

    async def unwrap(self, wrapped: bytes, context: Mapping[str, str]) -> bytes:
        params = {"KeyId": self._key_id, "CiphertextBlob": wrapped, "EncryptionContext": dict(context)}
        try:
            answer = await self._calls.call("kms", "Decrypt", params, timeout=TIMEOUT)
        except AwsError as error:
            if error.code in WRONG_CONTEXT:
                raise SecretUnreadable("KMS refuses this data key in this context.") from error
            raise Unavailable(f"KMS does not open the data key now: {error.code}.") from error
        plain: bytes = answer["Plaintext"]
        return plain

    def nonce(self) -> bytes:
        return os.urandom(NONCE_BYTES)


def make_keys(aws: Aws) -> KmsKeys:
    """The adapter of the port KeyService, for a service whose stack has `vault_part`."""
    return KmsKeys(aws, VaultSettings().vault_key)


def vault_part(service: str) -> StackPart:
    """The stack part of a service with a vault: its own master key, which only that service may use, and only in a
    context that names an organization and a purpose."""
    root = {"Fn::Sub": "arn:${AWS::Partition}:iam::${AWS::AccountId}:root"}
    owner = {"Effect": "Allow", "Principal": {"AWS": root}, "Action": "kms:*", "Resource": "*"}
    key = {
        "Type": "AWS::KMS::Key",
        "DeletionPolicy": "Retain",
        "UpdateReplacePolicy": "Retain",
        "Properties": {
            "Description": f"Tenfold: the data keys of {service}'s vault",
            "EnableKeyRotation": True,
            "KeyPolicy": {"Version": "2012-10-17", "Statement": [owner]},
        },
    }
    use = {
        "Effect": "Allow",
        "Action": ["kms:Decrypt", "kms:GenerateDataKey"],
        "Resource": {"Fn::GetAtt": [KEY, "Arn"]},
        "Condition": {"Null": {f"kms:EncryptionContext:{name}": "false" for name in (ORG, PURPOSE)}},
    }
    return StackPart(resources={KEY: key}, environment={"VAULT_KEY": {"Ref": KEY}}, statements=(use,))
