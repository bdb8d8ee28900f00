"""What a run that ended early could save, made into whole files."""
