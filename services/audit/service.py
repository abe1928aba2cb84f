"""Audit: one record for each event of every service, chained so that no later change to a record goes unnoticed."""

from datetime import timedelta

from chassis.declare.service import Schedule, Service, TableSpec
from contracts.audit.v1 import AccessDenied, ApiKeyUsed

service = Service(
    "audit",
    api="services.audit.api:router",
    table=TableSpec(indexes=4),
    subscriptions=("services.audit.records.consumers:trail", "chassis.tenants.members:subscription"),
    publishes=(AccessDenied, ApiKeyUsed),
    schedules=(Schedule("seal", "services.audit.chain.usecases.sealing:seal_all", every=timedelta(seconds=2)),),
)
