"""Annotated videos."""
