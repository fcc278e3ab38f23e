"""The pages, through their URLs."""
