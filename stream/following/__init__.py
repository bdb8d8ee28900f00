"""Where each face is, from frame to frame."""
