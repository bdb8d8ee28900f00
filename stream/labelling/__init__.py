"""What each face is perceived as."""
