"""The hash chain: records are sealed into it, and verified against it."""
