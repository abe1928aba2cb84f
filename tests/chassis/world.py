"""A service for tests of the chassis. It uses a real contract, so that no event type is invented for it."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from chassis.declare.service import Service, TableSpec
from chassis.errors import FieldError, Invalid, NotYet
from chassis.http.guard import Anonymous, Guard, SignedIn
from chassis.http.idempotency import idempotency_claim_for
from chassis.http.route import Route
from chassis.storage.keys import ListEntry
from chassis.work.outbox import OutboxEntry
from chassis.work.repository import Aggregate, Listing, Page, PageRequest, Repository
from chassis.work.scope import OrgScope
from contracts.common import Role
from contracts.tasks import v1 as tasks

PERMISSIONS = {
    "tasks.project.create": Role.MEMBER,
    "tasks.project.read": Role.VIEWER,
    "tasks.project.close": Role.ADMIN,
}
PROJECTS = Listing(index=2, name="PROJECTS", shards=3)
guard = Guard(PERMISSIONS)
router = APIRouter(prefix="/v1/projects", tags=["projects"], route_class=Route)


class Project(Aggregate):
    name: str


class Projects(Repository[Project]):
    kind = "PROJECT"
    model = Project

    def lists(self, aggregate: Project) -> Sequence[ListEntry]:
        return [PROJECTS.entry(self.scope, aggregate.id, aggregate.name)]


class NewProject(BaseModel):
    model_config = ConfigDict(extra="forbid")

    name: str = Field(min_length=1, max_length=20)
    tags: list[Annotated[str, Field(max_length=5)]] = Field(default_factory=list, max_length=3)


def created(project_id: str = "proj_1", name: str = "Web") -> tasks.ProjectCreated:
    return tasks.ProjectCreated(project_id=project_id, key="WEB", name=name, lead_id="user_ada")


async def create(scope: OrgScope, name: str) -> Project:
    unit, projects = scope.unit_of_work(), Projects(scope)
    project = projects.create(unit, Project(id=scope.new_id("proj"), name=name))
    unit.publish(created(project.id, name), version=project.version)
    return await unit.answer(project)


@router.post("", status_code=201)
async def create_project(
    body: NewProject, scope: Annotated[OrgScope, Depends(guard("tasks.project.create"))], copies: int = Query(default=1)
) -> Project:
    return await create(scope, body.name * copies)


@router.get("")
async def list_projects(
    scope: Annotated[OrgScope, Depends(guard("tasks.project.read"))], page: Annotated[PageRequest, Depends()]
) -> Page[Project]:
    return await Projects(scope).page(PROJECTS, page)


@router.get("/{project_id}")
async def get_project(project_id: str, scope: Annotated[OrgScope, Depends(guard("tasks.project.read"))]) -> Project:
    return await Projects(scope).get(project_id)


@router.put("/{project_id}/name")
async def rename_project(
    project_id: str, body: NewProject, scope: Annotated[OrgScope, Depends(guard("tasks.project.create"))]
) -> Project:
    project = await Projects(scope).get(project_id)
    scope.require_match(project)
    unit = scope.unit_of_work()
    return await unit.answer(Projects(scope).save(unit, project.model_copy(update={"name": body.name})))


@router.delete("/{project_id}", status_code=204)
async def close_project(project_id: str, scope: Annotated[OrgScope, Depends(guard("tasks.project.close"))]) -> Response:
    unit, projects = scope.unit_of_work(), Projects(scope)
    projects.remove(unit, await projects.get(project_id))
    await unit.commit()
    return Response(status_code=204)


@router.post("/suggestions", status_code=201)
async def suggest(body: NewProject, scope: Anonymous, request: Request) -> str:
    claimed = replace(scope, cause=replace(scope.cause, claim=idempotency_claim_for(request, scope)))
    unit = claimed.unit_of_work()
    unit.add(scope.key("SUGGESTION", body.name), {"count": 1})
    return "new" if await unit.commit() else "known"


@router.get("/{project_id}/invalid")
async def invalid(project_id: str, scope: SignedIn) -> None:
    raise Invalid(f"{project_id} is wrong.", [FieldError("path.project_id", "is wrong")])


@router.get("/{project_id}/later")
async def later(project_id: str, scope: SignedIn) -> None:
    raise NotYet("It is on its way.", retry_after=2.4)


@router.get("/{project_id}/crash")
async def crash(project_id: str, scope: Anonymous) -> None:
    raise RuntimeError("the secret of the database")


service = Service(
    "tasks",
    api="tests.chassis.world:router",
    table=TableSpec(indexes=2),
    publishes=(tasks.ProjectCreated, tasks.AccessDenied, tasks.ApiKeyUsed),
)


class Bus:
    """A bus that refuses chosen events, and records each call."""

    def __init__(self) -> None:
        self.calls: list[list[str]] = []
        self.published: list[str] = []
        self.refused: set[str] = set()
        self.raises: Exception | None = None

    async def put(self, entries: Sequence[OutboxEntry]) -> list[bool]:
        self.calls.append([entry.event_id for entry in entries])
        if self.raises:
            raise self.raises
        results = [entry.event_id not in self.refused for entry in entries]
        self.published += [entry.event_id for entry, ok in zip(entries, results, strict=True) if ok]
        return results
