"""The pages for members: signing in, their organisations, and who else takes part in them."""
