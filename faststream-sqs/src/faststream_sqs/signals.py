"""The second signal: an operator who sends it does not want to wait."""

import asyncio
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM)


@contextmanager
def on_next_signal(hurry: Callable[[], None]) -> Iterator[None]:
    """Calls `hurry` on the event loop if SIGINT or SIGTERM comes meanwhile, in addition to the existing handler.

    Without an existing handler the signal ends the process anyway, so nothing is changed; nor outside the main thread.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    loop = asyncio.get_running_loop()
    before: dict[signal.Signals, Any] = {}

    def hear(number: int, frame: FrameType | None) -> None:
        loop.call_soon_threadsafe(hurry)
        if callable(listener := before.get(signal.Signals(number))):
            listener(number, frame)

    for number in STOP_SIGNALS:
        if callable(listener := signal.getsignal(number)):
            before[number] = listener
            signal.signal(number, hear)
    try:
        yield
    finally:
        for number, listener in before.items():
            signal.signal(number, listener)
