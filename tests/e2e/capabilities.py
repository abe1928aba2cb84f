"""Capabilities of an AWS, found by one cheap call per service."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from deploy.aws import Aws
from deploy.errors import StackError

ASKED: dict[str, tuple[str, dict[str, Any]]] = {
    "cognito-idp": ("list_user_pools", {"MaxResults": 1}),
    "apigatewayv2": ("get_apis", {"MaxResults": "1"}),
    "sesv2": ("list_email_identities", {"PageSize": 1}),
}
TITLES = {"cognito-idp": "Cognito", "apigatewayv2": "API Gateway v2", "sesv2": "SES v2"}
DENIED = frozenset({"AccessDenied", "AccessDeniedException", "UnauthorizedOperation"})


@dataclass(frozen=True)
class Capability:
    """One service of an AWS; `missing` is the error if the AWS lacks it."""

    service: str
    missing: str | None = None

    @property
    def title(self) -> str:
        return TITLES[self.service]


def capabilities(aws: Aws, services: Collection[str] = tuple(ASKED)) -> list[Capability]:
    """Call each of `services`. Raises StackError if the credentials may not call one: then nothing is known of it."""
    return [Capability(service, _missing(aws, service)) for service in services]


def lacking(found: Collection[Capability]) -> frozenset[str]:
    return frozenset(each.service for each in found if each.missing)


def _missing(aws: Aws, service: str) -> str | None:
    operation, arguments = ASKED[service]
    client = aws.brief(service)
    try:
        getattr(client, operation)(**arguments)
    except ClientError as error:
        problem = error.response["Error"]
        if problem["Code"] in DENIED:
            raise StackError(f"the credentials may not ask for {TITLES[service]}: {problem['Message']}") from error
        return f"{problem['Code']}: {problem.get('Message', '')}".strip()[:120]
    except (BotoCoreError, ValueError) as error:  # no answer, or one in another protocol
        return str(error).splitlines()[0][:120]
    return None
