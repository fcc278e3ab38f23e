"""A gift from promise to settlement, and the donors' pages."""
