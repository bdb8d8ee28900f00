"""Logs and tables."""
