"""Figures of the desk: how much is held, how long decisions take, which rules are right."""
