"""What the operator does with credits."""
