"""Versions of rules: proposed with a reason, tested on the past, put in force by somebody else."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Max
from django.utils import timezone
from procrastinate.contrib.django import app
from procrastinate.exceptions import AlreadyEnqueued

from organisations.models import Membership, Organisation, User
from reviews.errors import (
    NotBacktested,
    OwnCase,
    ParametersUnusable,
    ProposedMeanwhile,
    ReasonMissing,
    RuleVersionClosed,
    SecondPersonNeeded,
)
from reviews.models import RuleVersion
from reviews.rules.limits import TWO_PEOPLE, limits
from reviews.rules.register import rule_named


@transaction.atomic
def propose(
    *,
    rule: str,
    organisation: Organisation | None,
    parameters: Mapping[str, Any],
    mode: RuleVersion.Mode,
    reason: str,
    by: User,
) -> RuleVersion:
    """
    Propose with which parameters a rule runs: at one organisation, or (without one) at all.

    What is not among the `parameters` stays as it stands in the code now. From here on the version
    runs in the shadow of what is in force, and a job tests it on the past. The limits from which on
    two people decide (`two_people`) are proposed alike. Raises `RuleUnknown`, `ParametersUnusable`,
    `ReasonMissing`, `OwnCase`, `ProposedMeanwhile`.
    """
    if not reason.strip():
        raise ReasonMissing("Say why: whoever puts it in force has to know.")
    _check_is_of_others(organisation, by)
    version = RuleVersion(
        organisation=organisation,
        rule=rule,
        number=_next_number(rule, organisation),
        mode=mode,
        parameters=_complete(rule, parameters, mode),
        reason=reason.strip(),
        proposed_by=by,
    )
    try:
        with transaction.atomic():
            version.save(force_insert=True)
    except IntegrityError as error:
        raise ProposedMeanwhile from error
    order_backtest(version=version)
    return version


def order_backtest(*, version: RuleVersion) -> None:
    """Have a version tested on the past soon, once however often it is ordered."""
    turn = f"backtest {version.pk}"
    job = app.configure_task("reviews.tasks.backtest_version", lock=turn, queueing_lock=turn)
    with suppress(AlreadyEnqueued), transaction.atomic():
        job.defer(version_id=version.pk)


@transaction.atomic
def activate(*, version: RuleVersion, by: User) -> RuleVersion:
    """
    Put a version in force, as somebody else than who proposed it.

    Raises `RuleVersionClosed`, `NotBacktested`, `SecondPersonNeeded`, `OwnCase`.
    """
    version = _lock(version)
    if version.proposed_by == by:
        raise SecondPersonNeeded
    _check_is_of_others(version.organisation, by)
    if version.backtest is None:
        raise NotBacktested
    in_force = RuleVersion.objects.filter(rule=version.rule, organisation=version.organisation)
    if in_force.filter(number__gt=version.number, activated_at__isnull=False).exists():
        raise RuleVersionClosed("A newer version is in force. Propose these parameters anew.")
    version.activated_by, version.activated_at = by, timezone.now()
    version.save(update_fields=["activated_by", "activated_at"])
    return version


@transaction.atomic
def withdraw(*, version: RuleVersion, by: User) -> RuleVersion:
    """Take back what was proposed, whoever did. Raises `RuleVersionClosed`, `OwnCase`."""
    version = _lock(version)
    _check_is_of_others(version.organisation, by)
    version.withdrawn_at = timezone.now()
    version.save(update_fields=["withdrawn_at"])
    return version


def _check_is_of_others(organisation: Organisation | None, person: User) -> None:
    if Membership.objects.filter(organisation=organisation, user=person).exists():
        raise OwnCase("Nobody sets the rules of their own organisation. Ask somebody else.")


def _next_number(rule: str, organisation: Organisation | None) -> int:
    own = RuleVersion.objects.filter(rule=rule, organisation=organisation)
    return (own.aggregate(newest=Max("number"))["newest"] or 0) + 1


def _complete(rule: str, given: Mapping[str, Any], mode: RuleVersion.Mode) -> dict[str, Any]:
    if rule != TWO_PEOPLE:
        return asdict(rule_named(rule).parameters(given))
    if mode == RuleVersion.Mode.OFF:
        raise ParametersUnusable("Two people always decide from some amount on. Set a limit.")
    return limits(given)


def _lock(version: RuleVersion) -> RuleVersion:
    locked = RuleVersion.objects.select_for_update(of=["self"])
    version = locked.select_related("organisation", "proposed_by").get(pk=version.pk)
    if version.activated_at or version.withdrawn_at:
        raise RuleVersionClosed
    return version
