"""A person's notifications in the app: list them, count the unread ones, mark them as read."""
