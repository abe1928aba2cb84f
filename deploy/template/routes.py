"""The routes of a service on the stage's one HTTP API, from the routes that its FastAPI router declares."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from chassis.declare.service import Service
from chassis.declare.stack import StackPart
from deploy.errors import TemplateError
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
ONCE_IDENTITY_IS_DEPLOYED: Template = {
    "AuthorizationType": {"Fn::If": [HAS_AUTHORIZER, "JWT", "NONE"]},
    "AuthorizerId": {"Fn::If": [HAS_AUTHORIZER, ref("AuthorizerId"), ref("AWS::NoValue")]},
}
CONDITIONS: Template = {HAS_AUTHORIZER: {"Fn::Not": [{"Fn::Equals": [ref("AuthorizerId"), ""]}]}}


@dataclass(frozen=True)
class DeclaredRoute:
    """One route of a router; `guarded` if it reads a bearer token."""

    method: str
    path: str
    guarded: bool


def declared_routes(service: Service) -> Iterator[DeclaredRoute]:
    """The routes of the service's API. Raises TemplateError for a kind of route that API Gateway does not have."""
    from fastapi.routing import APIRoute  # noqa: PLC0415  (slow, and not needed for templates without functions)

    for route in service.load_router().routes:
        if not isinstance(route, APIRoute) or ":" in route.path:
            raise TemplateError(f"route {getattr(route, 'path', route)} is not one that API Gateway can carry")
        for method in sorted(route.methods or ()):
            yield DeclaredRoute(method, route.path, _reads_token(route.dependant))


def routes(service: Service, callee: Template, part: StackPart) -> Template:
    """The integration with the function `callee`, all routes, and the permission to call the function.

    A guarded route calls the JWT authorizer first, before a request costs us anything. The service verifies each token
    all the same: it must not matter whether it was deployed before the authorizer.
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
    own = {"AuthorizationType": "JWT", "AuthorizerId": ref(AUTHORIZER)}
    authorization = own if AUTHORIZER in part.resources else ONCE_IDENTITY_IS_DEPLOYED
    declared = list(declared_routes(service))
    # A browser sends preflight requests without a token; API Gateway's own answer would replace that of the service.
    preflights = [
        DeclaredRoute("OPTIONS", path, guarded=False) for path in dict.fromkeys(each.path for each in declared)
    ]
    for route in [*declared, *preflights]:
        logical_id = f"Route{logical(f'{route.method.lower()} {route.path}')}"
        if logical_id in resources:
            raise TemplateError(f"routes: the logical id {logical_id} is used twice; rename one path")
        resources[logical_id] = {
            "Type": "AWS::ApiGatewayV2::Route",
            "Properties": {
                "ApiId": ref("ApiId"),
                "RouteKey": f"{route.method} {route.path}",
                "Target": sub("integrations/${ApiIntegration}"),
                **(authorization if route.guarded else {"AuthorizationType": "NONE"}),
            },
        }
    return resources


def _reads_token(dependant: "Dependant") -> bool:
    from fastapi.security.base import SecurityBase  # noqa: PLC0415  (as above)

    return isinstance(dependant.call, SecurityBase) or any(_reads_token(each) for each in dependant.dependencies)
