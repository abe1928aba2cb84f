"""The port to a service's table: keys, items, cursors and work queues."""
