"""The routes of a service on the stage's one HTTP API, from the routes that its FastAPI router declares."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from chassis.declare.service import Service
from chassis.declare.stack import StackPart
from deploy.stage.errors import TemplateError
from deploy.template.base import Template, logical, ref, sub
from deploy.template.functions import permission

if TYPE_CHECKING:
    from fastapi.dependencies.models import Dependant

API_SECONDS = 29
"""API Gateway waits no longer."""
AUTHORIZER = "Authorizer"
"""The logical id under which the stack that owns the user pool makes the JWT authorizer of the whole API."""
API_PARAMETERS: Template = {
    "ApiId": {"Type": "String", "Description": "The stage's HTTP API, of the platform's stack"},
    "AuthorizerId": {
        "Type": "String",
        "Default": "",
        "Description": "Its JWT authorizer, of identity's stack; empty until that is deployed",
    },
}
HAS_AUTHORIZER = "HasAuthorizer"
CONDITIONS: Template = {HAS_AUTHORIZER: {"Fn::Not": [{"Fn::Equals": [ref("AuthorizerId"), ""]}]}}


@dataclass(frozen=True)
class Declared:
    """One route of a router; `guarded` if it reads a bearer token."""

    method: str
    path: str
    guarded: bool


def declared_routes(service: Service) -> Iterator[Declared]:
    """The routes of the service's API. Raises TemplateError for a kind of route that API Gateway does not have."""
    from fastapi.routing import APIRoute  # noqa: PLC0415  (slow, and templates without functions do without)

    for route in service.load_router().routes:
        if not isinstance(route, APIRoute) or ":" in route.path:
            raise TemplateError(f"route {getattr(route, 'path', route)} is not one that API Gateway can carry")
        for method in sorted(route.methods or ()):
            yield Declared(method, route.path, _guarded(route.dependant))


def routes(service: Service, callee: Template, part: StackPart) -> Template:
    """The integration with the function `callee`, a route each, and the permission to call it.

    A guarded route asks the JWT authorizer before it costs us anything. The service verifies each token all the same:
    it must not matter whether it was deployed before the authorizer.
    """
    resources: Template = {
        "ApiIntegration": {
            "Type": "AWS::ApiGatewayV2::Integration",
            "Properties": {
                "ApiId": ref("ApiId"),
                "IntegrationType": "AWS_PROXY",
                "IntegrationUri": callee,
                "PayloadFormatVersion": "2.0",
                "TimeoutInMillis": API_SECONDS * 1000,
            },
        },
        "ApiInvoke": permission(
            callee,
            "apigateway.amazonaws.com",
            sub("arn:${AWS::Partition}:execute-api:${AWS::Region}:${AWS::AccountId}:${ApiId}/*"),
        ),
    }
    authorization = _authorization(part)
    declared = list(declared_routes(service))
    # A browser asks beforehand and without a token; API Gateway's own answer to it would hide what the service says.
    preflights = [Declared("OPTIONS", path, guarded=False) for path in dict.fromkeys(one.path for one in declared)]
    for one in [*declared, *preflights]:
        logical_id = f"Route{logical(f'{one.method.lower()} {one.path}')}"
        if logical_id in resources:
            raise TemplateError(f"routes: the logical id {logical_id} is used twice; rename one path")
        resources[logical_id] = {
            "Type": "AWS::ApiGatewayV2::Route",
            "Properties": {
                "ApiId": ref("ApiId"),
                "RouteKey": f"{one.method} {one.path}",
                "Target": sub("integrations/${ApiIntegration}"),
                **(authorization if one.guarded else {"AuthorizationType": "NONE"}),
            },
        }
    return resources


def _authorization(part: StackPart) -> dict[str, Any]:
    if AUTHORIZER in part.resources:
        return {"AuthorizationType": "JWT", "AuthorizerId": ref(AUTHORIZER)}
    return {
        "AuthorizationType": {"Fn::If": [HAS_AUTHORIZER, "JWT", "NONE"]},
        "AuthorizerId": {"Fn::If": [HAS_AUTHORIZER, ref("AuthorizerId"), ref("AWS::NoValue")]},
    }


def _guarded(dependant: "Dependant") -> bool:
    from fastapi.security.base import SecurityBase  # noqa: PLC0415  (as above)

    return isinstance(dependant.call, SecurityBase) or any(_guarded(one) for one in dependant.dependencies)
