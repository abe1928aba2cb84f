"""What identity reads from its environment besides what every service reads. Its stack writes it."""

from chassis.settings import Settings


class IdentitySettings(Settings):
    tenfold_service: str = "identity"
    identity_user_pool_id: str
    identity_client_id: str
