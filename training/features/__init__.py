"""Labelled pictures → a feature table: faces found and embedded, with their labels."""
