"""Embeddings → labels: the model folder and the heads in it."""
