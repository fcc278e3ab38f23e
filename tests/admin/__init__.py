"""Tests of the staff's site."""
