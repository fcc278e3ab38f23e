"""What the product refuses, said so that a person and a program both understand it."""


class DomainError(Exception):
    """
    A rule of the domain that a caller broke.

    The class docstring's first line is the default sentence; `code` is stable and public
    (the `code` of an RFC 9457 problem), `status` the HTTP status the API answers with.
    """

    code = "refused"
    status = 409

    def __init__(self, detail: str = "") -> None:
        """Say what was refused, or what the class says."""
        super().__init__(detail or (type(self).__doc__ or "").strip().splitlines()[0])


class TryAgainLater(DomainError):
    """A service we depend on does not answer now; nothing was changed."""

    code = "try_again_later"
    status = 503


def in_words(error: Exception) -> str:
    """Return what went wrong, for staff: one line, for the next ones of PostgreSQL quote rows."""
    return f"{type(error).__name__}: {str(error).partition(chr(10))[0]}"[:500]
