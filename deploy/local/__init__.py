"""The whole system on one machine: the embedded AWS, a process for each service, one front door, the traces."""
