"""Pictures: which files are some, how they become 8-bit, opaque and upright, and what H.264 does to
them."""
