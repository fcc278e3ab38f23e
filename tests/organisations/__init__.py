"""Tests of tenants, people and keys."""
