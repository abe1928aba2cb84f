"""Real processes on the embedded AWS, behind a proxy that lies: killed, stopped, throttled, poisoned, then checked."""
