"""Registration: an address, a password, and the code that confirms the address."""
