"""The whole of Almoner, started as a user starts it, and used from outside."""
