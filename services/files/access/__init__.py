"""Access to files: lists, states, and addresses to download from."""
