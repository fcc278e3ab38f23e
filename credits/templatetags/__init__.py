"""How credits read on a page."""
