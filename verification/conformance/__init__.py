"""What every bus with its queues must do, the simulated one too: one suite, each backend a Place."""
