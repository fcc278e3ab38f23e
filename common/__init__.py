"""What every app may use: errors, ids, money, the plumbing of the API; no models."""
