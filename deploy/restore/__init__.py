"""`make restore`: a service's table as it was at a moment, beside the present one, and then in its place."""
