"""Secrets from the operating system's randomness."""

import secrets

from chassis.aws.client import Aws

BYTES = 32


class SystemSecrets:
    def new(self) -> str:
        return secrets.token_hex(BYTES)


def make_secrets(_aws: Aws) -> SystemSecrets:
    return SystemSecrets()
