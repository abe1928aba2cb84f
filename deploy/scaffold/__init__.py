"""`make new-service`: the start of a service, from the templates beside this file."""
