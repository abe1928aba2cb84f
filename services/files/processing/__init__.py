"""Processing of confirmed files: metadata, thumbnail, text."""
