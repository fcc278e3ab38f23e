"""The forms of our pages: drawn alike, and every problem leads to what mends it."""

from typing import Any, ClassVar

from django import forms
from django.core.exceptions import NON_FIELD_ERRORS


class PageForm(forms.Form):
    """
    A form of a page; `forms/_field.html` draws its fields, whose ids are their names.

    `main` is the id of what mends a problem that belongs to no visible field.
    """

    main: ClassVar[str]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Give every field the look of an input."""
        super().__init__(*args, **kwargs)
        self.auto_id, self.label_suffix = "%s", ""
        for field in self.fields.values():
            field.widget.attrs["class"] = f"input {field.widget.attrs.get('class', '')}".strip()

    def problems(self) -> list[tuple[str, str]]:
        """Return every error with the id of the field that mends it, in the form's order."""
        visible = {field.name for field in self.visible_fields()}
        return [
            (name if name in visible else self.main, str(error))
            for name in [NON_FIELD_ERRORS, *self.fields]
            for error in self.errors.get(name, [])
        ]
