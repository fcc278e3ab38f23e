"""Everything that writes funds and gifts."""
