"""Jobs that are done on the nodes of a Ray cluster."""
