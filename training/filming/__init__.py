"""Faces as cameras and recordings show them."""
