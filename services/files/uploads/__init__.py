"""Uploads: from the request for a form to the confirmation or rejection by what was uploaded."""
