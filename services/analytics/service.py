"""Analytics: open tasks, done tasks and throughput of each project and each person, counted from tasks' events."""

from chassis.declare.service import Service, TableSpec
from contracts.analytics.v1 import AccessDenied, ApiKeyUsed

service = Service(
    "analytics",
    api="services.analytics.api:router",
    table=TableSpec(indexes=1),
    subscriptions=("services.analytics.figures.consumers:figures", "chassis.tenants.members:subscription"),
    publishes=(AccessDenied, ApiKeyUsed),
    projections={"figures": ("PROJECT", "PERSON", "PROJECTS", "PEOPLE")},
)
