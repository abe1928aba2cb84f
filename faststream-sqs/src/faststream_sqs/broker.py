"""The SQS broker."""

import asyncio
import logging
from collections.abc import Iterable, Sequence
from types import TracebackType
from typing import Any, Literal

from fast_depends import Provider, dependency_provider
from faststream.message import gen_cor_id
from faststream.middlewares import AckPolicy
from faststream.response.publish_type import PublishType
from faststream.specification.schema import BrokerSpec

from faststream_sqs._compat import EMPTY, BrokerUsecase, ContextRepo, FastDependsConfig, make_logger_state
from faststream_sqs.command import SQSPublishCommand
from faststream_sqs.config import SQSBrokerConfig
from faststream_sqs.logs import SQSLoggerStorage
from faststream_sqs.producer import SQSProducer
from faststream_sqs.registrator import SQSRegistrator
from faststream_sqs.signals import on_next_signal
from faststream_sqs.subscriber import SQSSubscriber
from faststream_sqs.transport import SQSCalls, Transport

AWS = "https://sqs.amazonaws.com"
API_VERSION = "2012-11-05"


class SQSBroker(SQSRegistrator, BrokerUsecase[Any, SQSCalls, SQSBrokerConfig]):
    """FastStream on Amazon SQS.

    `client` is a Transport that may be shared: it must be open and is not closed. Without one the broker creates and
    closes one for `endpoint_url` and `region` (None: as botocore finds them): `transport="awsjson"`, or "boto3", which
    runs botocore's own client (the one of boto3) in threads.
    When the broker stops, running handlers get `graceful_timeout` seconds (None: no limit), a long poll `poll_grace`
    more. `poll=False` starts the subscribers without polling, for a runtime that brings the messages itself.
    """

    def __init__(
        self,
        client: Transport | None = None,
        *,
        endpoint_url: str | None = None,
        region: str | None = None,
        transport: Literal["awsjson", "boto3"] = "awsjson",
        graceful_timeout: float | None = 15.0,
        poll_grace: float = 1.0,
        poll: bool = True,
        parser: Any = None,
        decoder: Any = None,
        codec: Any = None,
        dependencies: Sequence[Any] = (),
        middlewares: Sequence[Any] = (),
        routers: Iterable[SQSRegistrator] = (),
        ack_policy: AckPolicy = EMPTY,
        id_generator: Any = gen_cor_id,
        logger: Any = EMPTY,
        log_level: int = logging.INFO,
        apply_types: bool = True,
        serializer: Any = EMPTY,
        provider: Provider | None = None,
        context: ContextRepo | None = None,
        description: str | None = None,
        tags: Iterable[Any] = (),
        security: Any = None,
        specification_url: str | None = None,
    ) -> None:
        self._client = client
        self._endpoint_url = endpoint_url
        self._region = region
        self._transport = transport
        self._own_client: Any = None
        super().__init__(
            routers=routers,
            config=SQSBrokerConfig(
                producer=SQSProducer(parser, decoder),
                poll=poll,
                poll_grace=poll_grace,
                graceful_timeout=graceful_timeout,
                broker_middlewares=middlewares,
                broker_parser=parser,
                broker_decoder=decoder,
                broker_codec=codec,
                broker_dependencies=dependencies,
                ack_policy=ack_policy,
                id_generator=id_generator,
                extra_context={"broker": self},
                logger=make_logger_state(logger=logger, log_level=log_level, default_storage_cls=SQSLoggerStorage),
                fd_config=FastDependsConfig(
                    use_fastdepends=apply_types,
                    serializer=serializer,
                    provider=provider or dependency_provider,
                    context=context or ContextRepo(),
                ),
            ),
            specification=BrokerSpec(
                description=description,
                url=[specification_url or endpoint_url or AWS],
                protocol="sqs",
                protocol_version=API_VERSION,
                tags=list(tags),
                security=security,
            ),
        )

    @property
    def _state(self) -> SQSBrokerConfig:
        return self.config.broker_config

    async def _connect(self) -> SQSCalls:
        client: Any = self._client
        if client is None:
            # imported here: each transport needs libraries that the other one, and a test, do not need
            if self._transport == "boto3":
                from faststream_sqs.boto3_transport import Boto3Transport  # noqa: PLC0415

                client = Boto3Transport(endpoint_url=self._endpoint_url, region=self._region)
            else:
                from awsjson import AwsJson  # noqa: PLC0415

                client = AwsJson(endpoint_url=self._endpoint_url, region=self._region)
            await client.open("sqs")
            self._own_client = client
        calls = SQSCalls(client)
        self._state.calls = calls
        self.config.producer.connect(self._state)  # type: ignore[attr-defined]  # it is an SQSProducer or a test's
        return calls

    async def start(self) -> None:
        """Connects and starts every subscriber; if one cannot start, all are stopped. Raises QueueNotFound."""
        await self.connect()
        try:
            await super().start()
        except BaseException:
            await self.stop()
            raise

    async def stop(
        self,
        exc_type: type[BaseException] | None = None,
        exc_val: BaseException | None = None,
        exc_tb: TracebackType | None = None,
    ) -> None:
        """Stops all subscribers at once, each within the graceful timeout, and closes the broker's own client.

        A SIGINT or SIGTERM that arrives meanwhile calls `stop_now`.
        """
        try:
            with on_next_signal(self.stop_now):
                await super().stop(exc_type, exc_val, exc_tb)
        finally:
            self._connection = None
            self._state.calls = None
            client, self._own_client = self._own_client, None
            if client is not None:
                await client.close()

    def stop_now(self) -> None:
        """Makes the present or the next stop immediate: handlers are cancelled, and their messages go back."""
        for subscriber in self.subscribers:
            if isinstance(subscriber, SQSSubscriber):
                subscriber.stop_now()

    async def ping(self, timeout: float | None = None) -> bool:
        """Whether SQS answers within `timeout` seconds."""
        if self._connection is None:
            return False
        try:
            async with asyncio.timeout(timeout):
                await self._connection("ListQueues", {"MaxResults": 1})
        except Exception as error:  # noqa: BLE001  # the answer is False, the reason is in the log
            self.config.logger.log(f"SQS does not answer: {error}", logging.WARNING)
            return False
        return True

    async def publish(
        self,
        message: Any = None,
        queue: str = "",
        *,
        headers: dict[str, Any] | None = None,
        correlation_id: str | None = None,
        reply_to: str = "",
        group: str | None = None,
        deduplication_id: str | None = None,
        delay: int | None = None,
    ) -> str:
        """Sends one message to a queue (name or URL) and returns the id that SQS gave it.

        `group` is the message group (required for FIFO, used by fair queues), `delay` is in seconds. Raises
        QueueNotFound and the client's errors.
        """
        command = self._command(
            (message,),
            queue,
            headers=headers,
            correlation_id=correlation_id,
            reply_to=reply_to,
            group=group,
            deduplication_id=deduplication_id,
            delay=delay,
        )
        return str(await self._basic_publish(command, producer=self.config.producer))

    async def publish_batch(
        self,
        *messages: Any,
        queue: str = "",
        headers: dict[str, Any] | None = None,
        correlation_id: str | None = None,
        reply_to: str = "",
        group: str | None = None,
        delay: int | None = None,
    ) -> list[str]:
        """Sends messages in batches of at most ten and 256 KiB and returns their ids in order.

        Entries that SQS refused through its own fault are retried. Raises PublishFailed, which lists the entries that
        were not accepted; the others are sent.
        """
        if not messages:
            return []
        command = self._command(
            messages,
            queue,
            headers=headers,
            correlation_id=correlation_id,
            reply_to=reply_to,
            group=group,
            delay=delay,
        )
        ids: list[str] = await self._basic_publish_batch(command, producer=self.config.producer)
        return ids

    async def request(self, message: Any = None, queue: str = "", **options: Any) -> Any:  # type: ignore[override]
        """Not supported. Raises FeatureNotSupportedException."""
        return await self.config.producer.request(SQSPublishCommand(message, queue=queue, **options))

    def _command(self, messages: tuple[Any, ...], queue: str, **options: Any) -> SQSPublishCommand:
        options["correlation_id"] = options["correlation_id"] or self.config.id_generator()
        return SQSPublishCommand(*messages, queue=queue, _publish_type=PublishType.PUBLISH, **options)
