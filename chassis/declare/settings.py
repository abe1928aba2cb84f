"""The settings of a process: environment variables, read once. Laptop, emulator and AWS differ in nothing else."""

from functools import cached_property
from typing import Annotated

from pydantic import field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from chassis.declare.resource_names import Names


class Settings(BaseSettings):
    """The settings of every service. A service with more settings derives from this class in its settings.py."""

    model_config = SettingsConfigDict(extra="ignore", frozen=True)

    tenfold_stage: str = "local"
    tenfold_service: str
    aws_region: str = "us-east-1"
    aws_endpoint_url: str | None = None
    tenfold_host: str = "127.0.0.1"
    tenfold_port: int = 8000
    otel_exporter_otlp_endpoint: str | None = None
    otel_exporter_otlp_metrics_endpoint: str | None = None
    tenfold_log_level: str = "INFO"

    # The issuer of tokens and where its keys are: two settings, because an emulator's issuer names AWS while its keys
    # are local. Left empty, they follow from the user pool that the identity service's stack made known.
    tenfold_issuer: str | None = None
    tenfold_jwks_url: str | None = None
    tenfold_client_id: str | None = None

    tenfold_public_origins: Annotated[tuple[str, ...], NoDecode] = ()
    """Web origins whose pages may use the routes that need no token, such as signing in; separated by commas."""

    tenfold_table: str | None = None
    """The name of the service's table, if it is not the one that follows from the stage: after a restore."""

    tenfold_sweep_seconds: float = 2.0
    tenfold_graceful_seconds: float = 10.0

    @field_validator("tenfold_public_origins", mode="before")
    @classmethod
    def _split_origins(cls, value: object) -> object:
        return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value

    @cached_property
    def names(self) -> Names:
        return Names(self.tenfold_stage)

    def table_of(self, service: str) -> str:
        """The name of the table of this process's `service`."""
        return self.tenfold_table or self.names.table(service)
