"""Authentication: access tokens, API keys, and the access that each route requires."""
