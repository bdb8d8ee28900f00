"""The command line `face-stream`."""
