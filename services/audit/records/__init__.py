"""The trail: a record for each event, and the search over them."""
