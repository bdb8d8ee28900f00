"""The benchmark of detection: the faces of labelled pictures that are found, and wrong ones."""
