"""Secrets from the operating system's random numbers."""

import secrets

from chassis.aws.client import Aws

BYTES = 32


class SystemSecrets:
    """Implements SecretSource."""

    def new(self) -> str:
        return secrets.token_hex(BYTES)


def make_secrets(_aws: Aws) -> SystemSecrets:
    return SystemSecrets()
