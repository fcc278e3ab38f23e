"""Everything that writes tenants, members and keys."""
