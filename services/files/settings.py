"""What the files service reads from its environment besides what every service does."""

from chassis.declare.settings import Settings


class FilesSettings(Settings):
    tenfold_service: str = "files"
    files_bucket: str
    """The bucket that the service's stack made."""
