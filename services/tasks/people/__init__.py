"""The members that tasks can be assigned to, and how they are found by what people write."""
