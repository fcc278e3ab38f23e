"""Tests of the inbox and of the worker."""
