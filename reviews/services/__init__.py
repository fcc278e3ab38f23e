"""What is decided, screened and held."""
