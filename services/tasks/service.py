"""Tasks: an organization's projects, what is to be done in them, who does it, and what is said about it."""

from chassis.declare.service import Service, TableSpec
from contracts.tasks import v1 as tasks

service = Service(
    "tasks",
    api="services.tasks.api:router",
    table=TableSpec(indexes=1),
    subscriptions=("services.tasks.imports.consumers:imports", "chassis.tenants.members:subscription"),
    publishes=(
        tasks.AccessDenied,
        tasks.ApiKeyUsed,
        tasks.ProjectCreated,
        tasks.TaskCreated,
        tasks.TaskAssigned,
        tasks.TaskUnassigned,
        tasks.TaskStatusChanged,
        tasks.CommentAdded,
        tasks.ImportRequested,
        tasks.ImportCompleted,
    ),
)
