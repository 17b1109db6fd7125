"""Experiments: train from settings to a folder of results."""
