"""The technical code that every service stands on. It knows no service."""
