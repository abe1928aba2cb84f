"""Which identity provider this process speaks to, by its settings."""

from chassis.aws.client import Aws
from services.identity.cognito import Cognito
from services.identity.ports import IdentityProvider
from services.identity.settings import IdentitySettings


def make_provider(aws: Aws) -> IdentityProvider:
    """Cognito's user pool; the development provider in a place without Cognito."""
    settings = IdentitySettings()
    if settings.tenfold_identity_provider == "cognito":
        return Cognito(aws, settings.identity_user_pool_id, settings.identity_client_id)
    # Imported where it is used: no stage of AWS ever needs it, and every cold start would pay for it.
    from services.identity.mailbox_provider import development_provider  # noqa: PLC0415

    return development_provider(aws, settings)
