"""A parser that never returns."""

import signal

if __name__ == "__main__":
    signal.pause()
