"""Settings of the files service, besides those that every service has."""

from chassis.declare.settings import Settings


class FilesSettings(Settings):
    tenfold_service: str = "files"
    files_bucket: str
    """The bucket that the service's stack made."""
