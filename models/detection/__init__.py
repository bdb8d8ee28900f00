"""Where faces are: the contract of all detectors, and each of them."""
