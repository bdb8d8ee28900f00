"""What logs add up to: who was on screen, for how long, as what they are perceived."""
