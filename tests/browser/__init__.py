"""The pages in a real browser; skipped, visibly, where there is no Chromium."""
