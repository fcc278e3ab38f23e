"""How gifts and funds read on a page."""
