"""What is checked and computed from the templates: lint, permissions, costs."""
