"""moto behind boto3: its state is right only from one thread at a time, so each call takes a lock."""

import threading
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import boto3

LONGEST_POLL = 0.6


class OneAtATime:
    """boto3's client with a lock around each call; long polls ask again and again without holding it, and not long."""

    def __init__(self) -> None:
        session = boto3.Session("test", "test", region_name="eu-central-1")
        self._client = session.client("sqs")
        self._lock = threading.Lock()

    def __getattr__(self, name: str) -> Callable[..., Any]:
        return partial(self._locked, getattr(self._client, name))

    def _locked(self, method: Callable[..., Any], **params: Any) -> Any:
        with self._lock:
            return method(**params)

    def receive_message(self, **params: Any) -> Any:
        deadline = time.monotonic() + min(LONGEST_POLL, params.pop("WaitTimeSeconds", 0))
        while True:
            answer = self._locked(self._client.receive_message, WaitTimeSeconds=0, **params)
            if answer.get("Messages") or time.monotonic() >= deadline:
                return answer
            time.sleep(0.02)
