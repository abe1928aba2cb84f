"""The technical code that every service stands on, in rooms; a room imports only from the floors below it.

It imports no service. Of the contracts it knows the envelope, and its room `tenants` also the events of tenancy and
identity, which every service follows.
"""
