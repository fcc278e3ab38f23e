"""The API of `organisations`: who calls, for whom, and the public organisations."""
