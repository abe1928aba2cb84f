"""The HTTP app of a service, made from its declaration."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from fastapi import FastAPI
from fastapi.responses import JSONResponse

from chassis.declare.service import Service
from chassis.errors import DeclarationError
from chassis.http import problems
from chassis.http.cors import Preflights
from chassis.http.middleware import AnswerHeaders, BodyLimit, Deadline, RequestLog, is_health_check
from chassis.http.openapi import complete_document, document_access, document_answers
from chassis.http.state import ApiState
from contracts.access import DENIED, KEY_USED

Ready = Callable[[], Awaitable[str | None]]
Figures = Callable[[], Mapping[str, Any]]


def make_app(service: Service, state: ApiState, ready: Ready, figures: Figures = dict) -> FastAPI:
    """`ready()` answers None, or the reason why the service is not ready; `figures()` its metrics. Raises
    DeclarationError for a route that does not declare who may call it."""
    app = FastAPI(
        title=f"Tenfold {service.name}",
        version="1",
        docs_url="/docs",
        redoc_url=None,
        generate_unique_id_function=operation_id,
        telemetry={"operation_spans": False, "logs": False, "exclude": is_health_check},
    )
    app.state.api = state
    _require_access_events(service)
    router = service.load_router()
    document_access(router)
    document_answers(router)
    app.include_router(router)
    problems.install(app, router.routes)
    complete_document(app)
    app.add_middleware(Deadline)
    app.add_middleware(BodyLimit)
    app.add_middleware(RequestLog, service=service.name)
    app.add_middleware(Preflights)
    app.add_middleware(AnswerHeaders)

    @app.get("/health/live", include_in_schema=False)
    async def live() -> dict[str, str]:
        return {"status": "live", "service": service.name}

    @app.get("/health/ready", include_in_schema=False)
    async def readiness() -> JSONResponse:
        reason = await ready()
        body = {"status": "ready"} if reason is None else {"status": "not ready", "reason": reason}
        return JSONResponse(body, 200 if reason is None else 503)

    @app.get("/health/metrics", include_in_schema=False)
    async def metrics() -> Mapping[str, Any]:
        return figures()

    return app


def _require_access_events(service: Service) -> None:
    """Raises DeclarationError for a service that does not publish the events of refusals and of API keys in use."""
    wanted = {each.format(service=service.name) for each in (DENIED, KEY_USED)}
    for missing in sorted(wanted - {event.event_type for event in service.publishes}):
        raise DeclarationError(
            f"{service.name} does not publish {missing}: declare it in contracts/{service.name}/v1.py as "
            "contracts/access.py says, and name it in service.py"
        )


def operation_id(route: object) -> str:
    """The operation id of a route: its function's name, which is short, and stable when a path moves."""
    return str(getattr(route, "name", ""))
