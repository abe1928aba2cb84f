"""The projection of memberships that tokens are made from."""
