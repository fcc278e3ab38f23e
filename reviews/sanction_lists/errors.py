"""What is refused of lists of sanctions."""

from common.errors import DomainError


class ListMalformed(Exception):
    """A file that is not the list it should be; the text says what is wrong with it."""


class ListRefused(DomainError):
    """The list was not loaded; the one before it is still in use."""

    code = "list_refused"
