"""The commands of `face-train`; what a command needs is imported when it runs."""
