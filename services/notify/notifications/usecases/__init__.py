"""One module per kind of event, and `notifying`, which all of them use."""
