"""What the operator does with organisations."""
