"""HTTP: the app of a service, problem details, guards, idempotent answers."""
