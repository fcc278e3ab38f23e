"""What the operator does with donations."""
