"""How the treasury reads on a page."""
