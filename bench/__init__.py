"""How fast it is, as ratios to what the same PostgreSQL does without us in the same run."""
