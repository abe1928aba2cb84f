"""Environment variables of identity, beside those of every service. Its stack sets them."""

from typing import Literal, Self

from pydantic import model_validator

from chassis.declare.resource_names import PRODUCTION, Names
from chassis.declare.settings import Settings


class IdentitySettings(Settings):
    """Raises ValidationError for a provider without its variables, or where it is not allowed."""

    tenfold_service: str = "identity"
    tenfold_identity_provider: Literal["cognito", "development"] = "cognito"
    identity_user_pool_id: str = ""
    identity_client_id: str = ""
    tenfold_mailbox: str = ""
    """The queue to which the development provider sends its codes."""

    @model_validator(mode="after")
    def _can_work(self) -> Self:
        if self.tenfold_identity_provider == "cognito":
            if not (self.identity_user_pool_id and self.identity_client_id):
                raise ValueError("Cognito needs IDENTITY_USER_POOL_ID and IDENTITY_CLIENT_ID, which its stack gives")
        elif self.tenfold_stage == PRODUCTION or not self.aws_endpoint_url:
            raise ValueError("TENFOLD_IDENTITY_PROVIDER=development is for an embedded AWS only, and never for prod")
        elif not self.tenfold_mailbox:
            raise ValueError("TENFOLD_IDENTITY_PROVIDER=development needs TENFOLD_MAILBOX for its codes")
        return self


def signing_secret(names: Names) -> str:
    """The name of the secret with the development provider's signing key."""
    return names.parameter("identity", "signing-key")
