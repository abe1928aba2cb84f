"""The configuration that botocore finds: region, keys, endpoints, descriptions of services. All of it blocks."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any
from urllib.parse import urlsplit

from botocore.auth import SigV4Auth
from botocore.configprovider import ConfiguredEndpointProvider
from botocore.endpoint_provider import EndpointProvider
from botocore.exceptions import BotoCoreError
from botocore.loaders import create_loader
from botocore.session import Session
from yarl import URL

from awsjson.config import CredentialSource
from awsjson.errors import ConfigurationError
from awsjson.service import Service, describe


@dataclass(frozen=True)
class Target:
    """A service and the address to send its calls to."""

    service: Service
    url: str
    signing_name: str
    signing_region: str

    @cached_property
    def host(self) -> str:
        """The Host header, without a default port."""
        return URL(self.url).host_port_subcomponent or ""

    @cached_property
    def path(self) -> str:
        """The path as it is signed."""
        no_credentials: Any = None
        signer: Any = SigV4Auth(no_credentials, self.signing_name, self.signing_region)
        return str(signer._normalize_url_path(urlsplit(self.url).path))


class Environment:
    """One botocore session. It is not thread-safe, so the client asks it one thing at a time."""

    def __init__(self, region: str | None, endpoint_url: str | None) -> None:
        self._given_region = region
        self._endpoint_url = endpoint_url
        self._session = Session()

    def region(self) -> str:
        region = self._given_region or self._session.get_config_variable("region")
        if not region:
            raise ConfigurationError("no region: pass one, or set AWS_REGION, AWS_DEFAULT_REGION or the profile's")
        return str(region)

    def credentials(self) -> CredentialSource | None:
        """botocore's chain: environment, profile, web identity, container, instance role. None: no credentials."""
        source: CredentialSource | None = self._session.get_credentials()
        return source

    def rediscover_credentials(self) -> CredentialSource | None:
        """The chain searched again by a new session, which sees what has changed since the start."""
        source: CredentialSource | None = Session().get_credentials()
        return source

    def target(self, name: str) -> Target:
        """The service and its endpoint: given, configured, or by botocore's rules. Raises ConfigurationError."""
        # a loader of its own: botocore's sessions would keep the whole description in memory
        loader = create_loader(self._session.get_config_variable("data_path"))
        try:
            service = describe(name, loader.load_service_model(name, "service-2"))
            endpoint = self._endpoint_url
            if not endpoint and not self._session.get_config_variable("ignore_configured_endpoint_urls"):
                full, scoped = self._session.full_config, self._session.get_scoped_config()
                endpoint = ConfiguredEndpointProvider(
                    full_config=full, scoped_config=scoped, client_name=name
                ).provide()
            if endpoint:
                return Target(service, _with_path(endpoint), service.signing_name, self.region())
            return self._resolve(service, loader)
        except BotoCoreError as error:
            raise ConfigurationError(str(error), service=name) from error

    def _resolve(self, service: Service, loader: Any) -> Target:
        rules = loader.load_service_model(service.name, "endpoint-rule-set-1")
        endpoint = EndpointProvider(rules, loader.load_data("partitions")).resolve_endpoint(
            Region=self.region(),
            UseFIPS=bool(self._session.get_config_variable("use_fips_endpoint")),
            UseDualStack=bool(self._session.get_config_variable("use_dualstack_endpoint")),
        )
        schemes = endpoint.properties.get("authSchemes") or [{}]
        return Target(
            service,
            _with_path(endpoint.url),
            schemes[0].get("signingName", service.signing_name),
            schemes[0].get("signingRegion", self.region()),
        )


def _with_path(url: str) -> str:
    # an endpoint's own path is used as it is
    return url if urlsplit(url).path else f"{url}/"
