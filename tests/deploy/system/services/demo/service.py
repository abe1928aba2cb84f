from services.demo.events import ThingHappened

from chassis.declare.service import Service, TableSpec

service = Service(
    "demo",
    api="services.demo.api:router",
    table=TableSpec(indexes=2),
    subscriptions=("services.demo.consumers:things", "services.demo.consumers:uploads"),
    publishes=(ThingHappened,),
    resources="services.demo.stack:resources",
)
