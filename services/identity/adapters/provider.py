"""The identity provider of this process, chosen by its settings."""

from chassis.aws.client import Aws
from services.identity.adapters.cognito import Cognito
from services.identity.ports import IdentityProvider
from services.identity.settings import IdentitySettings


def make_provider(aws: Aws) -> IdentityProvider:
    """Cognito's user pool, or the development provider where there is no Cognito."""
    settings = IdentitySettings()
    if settings.tenfold_identity_provider == "cognito":
        return Cognito(aws, settings.identity_user_pool_id, settings.identity_client_id)
    # Imported where it is used: no stage on AWS ever needs it, and every cold start would pay for it.
    from services.identity.adapters.mailbox_provider import development_provider  # noqa: PLC0415

    return development_provider(aws, settings)
