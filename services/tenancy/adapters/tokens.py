"""Invitation tokens from the operating system's randomness."""

import secrets

from chassis.aws.client import Aws

BYTES = 32


class SystemTokens:
    def new(self) -> str:
        return secrets.token_urlsafe(BYTES)


def make_tokens(_aws: Aws) -> SystemTokens:
    return SystemTokens()
