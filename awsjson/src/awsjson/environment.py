"""What botocore finds around the process: region, keys, endpoints, descriptions of services. All of it blocks."""

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
    """A service and where to send its calls."""

    service: Service
    url: str
    signing_name: str
    signing_region: str

    @cached_property
    def host(self) -> str:
        """The Host header: without a port that goes without saying."""
        return URL(self.url).host_port_subcomponent or ""

    @cached_property
    def path(self) -> str:
        """The path as it is signed."""
        nobody: Any = None
        signer: Any = SigV4Auth(nobody, self.signing_name, self.signing_region)
        return str(signer._normalize_url_path(urlsplit(self.url).path))


class Environment:
    """One botocore session: not safe for threads, so the client asks it one thing at a time."""

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
        """botocore's chain: environment, profile, web identity, container, instance role. None: nothing found."""
        found: CredentialSource | None = self._session.get_credentials()
        return found

    def credentials_anew(self) -> CredentialSource | None:
        """The chain looked through again, with profiles read anew: what has changed since the start is found."""
        found: CredentialSource | None = Session().get_credentials()
        return found

    def target(self, name: str) -> Target:
        # a loader of its own: botocore's sessions would keep the whole description in memory
        loader = create_loader(self._session.get_config_variable("data_path"))
        try:
            service = describe(name, loader.load_service_model(name, "service-2"))
            endpoint = self._endpoint_url or self._configured_endpoint(name)
            if endpoint:
                return Target(service, _with_path(endpoint), service.signing_name, self.region())
            return self._resolve(service, loader)
        except BotoCoreError as error:
            raise ConfigurationError(str(error), service=name) from error

    def _configured_endpoint(self, name: str) -> str | None:
        if self._session.get_config_variable("ignore_configured_endpoint_urls"):
            return None
        found: str | None = ConfiguredEndpointProvider(
            full_config=self._session.full_config, scoped_config=self._session.get_scoped_config(), client_name=name
        ).provide()
        return found

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
