"""Notify: tells people what concerns them, in the product and by e-mail."""

from chassis.declare.service import Service, TableSpec
from contracts.notify.v1 import AccessDenied, ApiKeyUsed
from services.notify.ports import Composer, Mailer

service = Service(
    "notify",
    api="services.notify.api:router",
    table=TableSpec(indexes=2),
    subscriptions=(
        "services.notify.consumers:assignments",
        "services.notify.consumers:mentions",
        "services.notify.consumers:invitations",
        "services.notify.consumers:imports",
        "chassis.tenants.members:subscription",
    ),
    publishes=(AccessDenied, ApiKeyUsed),
    ports={
        Mailer: "services.notify.mailer:make_mailer",
        Composer: "services.notify.templating:make_composer",
    },
    resources="services.notify.stack:resources",
)
