"""Several sources in one run: files one after another, cameras and streams side by side."""
