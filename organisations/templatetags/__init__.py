"""What the pages of members share."""
