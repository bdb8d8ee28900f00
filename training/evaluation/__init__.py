"""How good a model is and for whom: figures, the report, the model card."""
