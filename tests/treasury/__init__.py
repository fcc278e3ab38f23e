"""Tests of reading and booking what moved."""
