"""Adapters: implementations of the ports of identity."""
