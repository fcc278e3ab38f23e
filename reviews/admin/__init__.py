"""The staff's desk: the queue of cases, the page of each, and what is kept of decisions."""

from reviews.admin import cases, lists, records, rules

__all__ = ["cases", "lists", "records", "rules"]
