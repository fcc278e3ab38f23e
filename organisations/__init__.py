"""Tenants: who they are, who may act for them, and with which keys."""
