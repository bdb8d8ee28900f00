"""Annotated copies of pictures, snapshots of people, and a sheet of them."""
