"""Boxes, labels and blur, drawn on pictures or on the planes of a coded frame."""
