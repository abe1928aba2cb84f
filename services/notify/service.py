"""Notify: notifies people of what concerns them, in the app and by e-mail."""

from chassis.declare.service import Service, TableSpec
from contracts.notify.v1 import AccessDenied, ApiKeyUsed
from services.notify.ports import Composer, Mailer

service = Service(
    "notify",
    api="services.notify.api:router",
    table=TableSpec(indexes=2),
    subscriptions=(
        "services.notify.notifications.consumers:assignments",
        "services.notify.notifications.consumers:mentions",
        "services.notify.notifications.consumers:invitations",
        "services.notify.notifications.consumers:imports",
        "chassis.tenants.members:subscription",
    ),
    publishes=(AccessDenied, ApiKeyUsed),
    ports={
        Mailer: "services.notify.adapters.mailer:make_mailer",
        Composer: "services.notify.adapters.templating:make_composer",
    },
    resources="services.notify.stack:resources",
)
