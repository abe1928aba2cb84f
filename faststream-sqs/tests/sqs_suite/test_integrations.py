"""FastAPI, ASGI's health check and AsyncAPI documents."""

from typing import Annotated, Any

import pytest
from fastapi import Depends, FastAPI
from fastapi.testclient import TestClient
from faststream import FastStream
from faststream.asgi import AsgiFastStream, make_ping_asgi
from faststream.specification.asyncapi import AsyncAPI
from faststream_sqs import SQSBroker, SQSMessage, SQSQueue, SQSRouter, TestSQSBroker
from faststream_sqs.fastapi import SQSMessage as InjectedMessage
from faststream_sqs.fastapi import StreamRouter
from pydantic import BaseModel

from awsjson import AwsError
from sqs_suite.fakes import FakeSQS
from sqs_suite.waiting import until


class Order(BaseModel):
    id: int


async def test_a_stream_router_runs_with_fastapis_dependencies() -> None:
    router = StreamRouter(FakeSQS(), logger=None)
    seen: list[Any] = []

    async def doubled(order: Order) -> int:
        return order.id * 2

    @router.subscriber("orders", max_workers=4)
    @router.publisher("invoices")
    async def handle(order: Order, twice: Annotated[int, Depends(doubled)], message: InjectedMessage) -> Order:
        seen.append((order.id, twice, message.queue))
        return Order(id=twice)

    async with TestSQSBroker(router.broker) as broker:
        await broker.publish(Order(id=3), "orders")
    assert seen == [(3, 6, "orders")]
    with pytest.raises(ValueError, match="raw"):
        router.subscriber("q", raw=True)


async def test_fastapis_lifespan_starts_and_stops_the_broker() -> None:
    fake = FakeSQS()
    fake.put('{"id": 1}')
    router = StreamRouter(fake, logger=None, poll_grace=0.01)
    grouped = SQSRouter("shop-")

    @router.subscriber("q", wait=1)
    async def handle(order: Order) -> None: ...

    @grouped.subscriber("other", wait=1)
    async def other(order: Order) -> None: ...

    @router.post("/orders")
    async def publish(order: Order) -> str:
        return str(await router.broker.publish(order, "out"))

    router.include_router(grouped)
    app = FastAPI()
    app.include_router(router)
    with TestClient(app) as http:
        assert http.post("/orders", json={"id": 2}).json() == "s1"
        document = http.get("/asyncapi.json").json()
        assert {channel["address"] for channel in document["channels"].values()} >= {"q", "shop-other"}
    assert not router.broker.running
    assert fake.sent[0]["MessageBody"] == '{"id":2}'


@pytest.mark.parametrize(("healthy", "status"), [(True, 204), (False, 500)])
async def test_the_asgi_health_check(healthy: bool, status: int) -> None:
    class Answering(FakeSQS):
        async def _ListQueues(self, params: Any) -> dict[str, Any]:  # noqa: N802
            if not healthy:
                raise AwsError("InternalError", status=500)
            return {}

    broker = SQSBroker(Answering(), logger=None, poll_grace=0.01)

    @broker.subscriber("q", wait=1, raw=True)
    async def handle(message: SQSMessage) -> None: ...

    app = AsgiFastStream(broker, asgi_routes=[("/health", make_ping_asgi(broker, timeout=5.0))], logger=None)
    with TestClient(app) as http:
        assert http.get("/health").status_code == status
    assert FastStream(broker, logger=None).as_asgi() is not None


async def test_an_app_started_as_asgi_consumes() -> None:
    fake = FakeSQS()
    fake.put("x")
    broker = SQSBroker(fake, logger=None, poll_grace=0.01)

    @broker.subscriber("q", wait=1, raw=True)
    async def handle(message: SQSMessage) -> None: ...

    async with AsgiFastStream(broker, logger=None):
        await until(lambda: not fake.left())


@pytest.mark.parametrize("version", ["2.6.0", "3.0.0"])
def test_the_asyncapi_document_has_the_bindings_of_sqs(version: Any) -> None:
    broker = SQSBroker(description="the shop's")
    queue = SQSQueue("orders.fifo", visibility=45, dead_letter="dead.fifo", max_receives=5, tags={"team": "shop"})

    @broker.subscriber(queue, title="orders")
    @broker.publisher("invoices")
    async def handle(order: Order) -> Order:
        return order

    @broker.subscriber("many", batch=True, title="many")
    async def many(orders: list[Order]) -> None: ...

    document = AsyncAPI(broker, title="shop", schema_version=version).to_specification().to_jsonable()
    assert document["servers"]["development"]["protocol"] == "sqs"
    assert document["channels"]["orders"]["bindings"]["sqs"]["queue"] == {
        "name": "orders.fifo",
        "fifoQueue": True,
        "visibilityTimeout": 45,
        "redrivePolicy": {"deadLetterQueue": {"name": "dead.fifo"}, "maxReceiveCount": 5},
        "tags": {"team": "shop"},
    }
    assert document["channels"]["invoices:Publisher"]["bindings"]["sqs"]["queue"]["fifoQueue"] is False
    payloads = document["components"]["schemas"]
    assert payloads["Order"]["properties"]["id"]["type"] == "integer"
