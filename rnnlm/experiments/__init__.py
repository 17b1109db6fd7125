"""From settings to a folder of results."""
