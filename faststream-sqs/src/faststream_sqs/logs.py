"""The broker's own logger."""

import logging
from typing import Any

from faststream_sqs._compat import ContextRepo, DefaultLoggerStorage, get_broker_logger

MESSAGE_ID_WIDTH = 10


class SQSLoggerStorage(DefaultLoggerStorage):
    """Lines with the queue's name and the message's id, in columns."""

    def __init__(self) -> None:
        super().__init__()
        self._queue_width = 4
        self._logger: logging.Logger | None = None

    def register_subscriber(self, params: dict[str, Any]) -> None:
        self._queue_width = max(self._queue_width, len(params.get("queue", "")))

    def get_logger(self, *, context: ContextRepo) -> logging.Logger:
        if self._logger is None:
            self._logger = get_broker_logger(
                name="sqs",
                default_context={"queue": ""},
                message_id_ln=MESSAGE_ID_WIDTH,
                context=context,
                log_level=self.logger_log_level,
                fmt=(
                    f"%(asctime)s %(levelname)-8s - %(queue)-{self._queue_width}s | "
                    f"%(message_id)-{MESSAGE_ID_WIDTH}s - %(message)s"
                ),
            )
            self._logger_ref.add(self._logger)
        return self._logger
