"""Discovery of the token issuer: from settings, or from the parameters that the identity service's stack published."""

from typing import Any

import aiohttp

from awsjson import AwsError
from chassis.auth.ssm_parameters import AUTH_PARAMETERS, CLIENT_PARAMETER, POOL_PARAMETER
from chassis.auth.tokens import FetchKeys, FindIssuer, Issuer
from chassis.aws.client import AwsCalls
from chassis.declare.settings import Settings
from chassis.errors import Unavailable
from chassis.resilience.breaker import Breaker
from chassis.resilience.deadline import left

TIMEOUT = 5.0


def issuer_finder(settings: Settings, calls: AwsCalls) -> FindIssuer:
    """A function that finds the issuer. It raises Unavailable while the identity service's stack does not exist."""

    async def find() -> Issuer:
        if settings.tenfold_issuer and settings.tenfold_jwks_url and settings.tenfold_client_id:
            return Issuer(settings.tenfold_issuer, settings.tenfold_jwks_url, settings.tenfold_client_id)
        pool, client = await _published_pool(settings, calls)
        issuer = f"https://cognito-idp.{settings.aws_region}.amazonaws.com/{pool}"
        keys = f"{settings.aws_endpoint_url.rstrip('/')}/{pool}" if settings.aws_endpoint_url else issuer
        return Issuer(issuer, f"{keys}/.well-known/jwks.json", client)

    return find


async def _published_pool(settings: Settings, calls: AwsCalls) -> tuple[str, str]:
    path = settings.names.parameter(*AUTH_PARAMETERS)
    names = [f"{path}/{POOL_PARAMETER}", f"{path}/{CLIENT_PARAMETER}"]
    try:
        answer = await calls.call("ssm", "GetParameters", {"Names": names}, timeout=TIMEOUT)
    except AwsError as error:
        raise Unavailable("The token issuer can't be looked up; try again.") from error
    values = {parameter["Name"]: str(parameter["Value"]) for parameter in answer["Parameters"]}
    if len(values) < len(names):
        raise Unavailable("The identity service is not deployed yet, so no token can be verified.", retry_after=5)
    return values[names[0]], values[names[1]]


def key_fetcher() -> FetchKeys:
    """`fetch_keys` behind a circuit breaker."""
    breaker = Breaker("The token issuer")

    async def fetch(url: str) -> dict[str, Any]:
        with breaker.guarding():
            return await fetch_keys(url)

    return fetch


async def fetch_keys(url: str) -> dict[str, Any]:
    """The JSON Web Key Set at `url`. Raises Unavailable."""
    try:
        limit = aiohttp.ClientTimeout(total=left(TIMEOUT))
        async with aiohttp.ClientSession(timeout=limit) as session, session.get(url) as answer:
            answer.raise_for_status()
            keys: dict[str, Any] = await answer.json(content_type=None)
            return keys
    except (aiohttp.ClientError, TimeoutError, ValueError) as error:
        raise Unavailable("The token issuer's keys can't be fetched; try again.") from error
