"""How both programs speak, and how each of them is one run among others."""
