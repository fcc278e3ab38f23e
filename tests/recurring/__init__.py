"""Tests of gifts that repeat, against the real sandbox."""
