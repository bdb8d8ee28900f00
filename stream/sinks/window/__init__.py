"""The live window."""
