"""The commands of `python -m deploy`, by group; the module of a command is imported when the command is run."""
