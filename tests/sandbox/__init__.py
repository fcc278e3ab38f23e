"""Tests of the sandbox: over HTTP, without Django and without a database."""
