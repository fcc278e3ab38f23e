"""Operations in words."""

from django.template import Library

register = Library()


@register.filter
def operation_name(operation: str) -> str:
    """Return an operation in words: every application has its own."""
    return operation.replace("_", " ").capitalize()
