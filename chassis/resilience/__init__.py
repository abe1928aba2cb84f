"""Deadlines, circuit breaker, retries with backoff, bounded concurrency, and which work goes first."""
