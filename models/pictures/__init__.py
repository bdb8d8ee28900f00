"""Pictures in files: which they are, and how they become 8-bit, opaque and upright."""
