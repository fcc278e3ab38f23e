"""The web server's way in."""

import os
from typing import Any

import django
from django.core.handlers.wsgi import WSGIHandler
from django.http.response import HttpResponseBase
from django.utils.http import parse_header_parameters

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")


class Handler(WSGIHandler):
    """
    Django's handler, without two of its 500s.

    A `Content-Type` of an unheard-of charset and a `Content-Length` that is no number make Django
    raise before any view or error handler; here they count as not said.
    """

    def __call__(self, environ: dict[str, Any], start_response: Any) -> HttpResponseBase:
        """Answer one request."""
        try:
            parse_header_parameters(environ.get("CONTENT_TYPE", ""))
        except ValueError:
            environ["CONTENT_TYPE"] = ""
        length = environ.get("CONTENT_LENGTH") or ""
        if not (length.isascii() and length.isdecimal()):
            environ["CONTENT_LENGTH"] = ""
        return super().__call__(environ, start_response)


django.setup(set_prefix=False)
application = Handler()
