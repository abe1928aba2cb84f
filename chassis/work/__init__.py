"""One piece of work: its scope, its unit of work, its repositories and its outbox."""
