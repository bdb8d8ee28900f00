"""Networks: their weights, their graphs in floats and in integers, and what runs them."""
