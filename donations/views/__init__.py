"""The pages about gifts: giving one, following one, and the public book they end in."""
