"""How books read on a page."""
