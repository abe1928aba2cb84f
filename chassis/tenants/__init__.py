"""Projections of tenancy's and identity's events that every service keeps, and the limits that follow from them."""
