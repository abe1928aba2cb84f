"""Proves that no crash, duplicate, delay or reordering breaks a promise, by simulating the whole system in one thread.

The real use cases, outboxes, inboxes, dispatch and consumers of every service run on tables, a bus, queues and a clock
in memory, without waiting. `python -m verification.simulation SEED STEPS` replays one simulation in seconds and prints
its steps; `--seeds 5000` plays many (about 20 minutes), `--journeys 3` puts every fault at every call of an
organization's first day (about 10 minutes), `--bugs` shows that each planted bug is found (about a minute). All print
what was simulated, and each broken promise with the command that replays it.

Modules: in `wire` every call leaves a process and may fail; `world` holds everything that survives a process;
`commands` and `environment` are the steps of clients, networks and operators; `checks` says what must be true once
everything is at rest. Journeys crash at every call; the state machine and the seeds mix all steps.
"""
