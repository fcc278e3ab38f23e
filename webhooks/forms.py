"""What members type: where to send messages, and which."""

from django import forms

from common.addresses import URL_LENGTH_MAX
from common.forms import PageForm
from webhooks.models import DESCRIPTION_LENGTH_MAX, Topic


class EndpointForm(PageForm):
    """A new endpoint."""

    main = "url"
    url = forms.CharField(
        label="Address",
        help_text="Where your server takes messages, such as https://hooks.example.org/almoner",
        max_length=URL_LENGTH_MAX,
        widget=forms.TextInput(
            attrs={"inputmode": "url", "autocomplete": "off", "spellcheck": "false"}
        ),
        error_messages={
            "required": "Enter the address of your server.",
            "max_length": f"Enter an address of at most {URL_LENGTH_MAX} characters.",
        },
    )
    description = forms.CharField(
        label="What it is for",
        help_text="For your colleagues; may stay empty",
        required=False,
        max_length=DESCRIPTION_LENGTH_MAX,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
        error_messages={
            "max_length": f"Enter a text of at most {DESCRIPTION_LENGTH_MAX} characters."
        },
    )
    events = forms.MultipleChoiceField(
        choices=Topic.choices,
        error_messages={
            "required": "Choose what it is told: one event or more.",
            "invalid_choice": "Choose from these events.",
        },
    )
