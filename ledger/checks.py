"""What `manage.py check` says of the ledger's settings."""

from typing import Any

from django.conf import settings
from django.core.checks import Error, register

from ledger.policy import PolicyBroken
from ledger.witnessing import witness_policy


@register
def check_witness_policy(app_configs: Any, **options: Any) -> list[Error]:
    """Read the policy of witnesses."""
    try:
        witness_policy()
    except (OSError, PolicyBroken) as error:
        hint = "docs/witnesses.md says what stands in the file that LEDGER_WITNESS_POLICY names."
        text = f"{settings.LEDGER_WITNESS_POLICY}: {error}"
        return [Error(text, hint=hint, id="ledger.E001")]
    return []
