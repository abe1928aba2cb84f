"""Proves that real processes lose nothing and do nothing twice while they are killed, frozen, throttled and poisoned.

`python -m verification.chaos` runs the services on the embedded AWS behind a fault proxy, and two controls that must
fail: without the inbox effects must be duplicated, without the outbox they must be lost. It takes two to three minutes
(`--size long`: about ten) and prints the faults, what was lost, duplicated or wrong for each promise, and the seed.
`python -m verification.chaos.rolling` and `.malformed` prove the same of rolling restarts and of malformed messages.
"""
