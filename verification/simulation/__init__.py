"""The whole system in one thread and without a second of waiting: real use cases, outboxes, inboxes, dispatch and
consumers of every service, on tables, a bus, queues and a clock in memory.

`wire` is where every call leaves a process and where it can go wrong; `world` holds what survives a process;
`actions` is what clients, networks and operators do; `checks` is what must be true once everything has come to rest.
Journeys crash at every call; the state machine and the seeds mix everything with everything.
"""
