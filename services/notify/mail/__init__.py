"""E-mail deliveries: recorded with the notification, sent at least once."""
