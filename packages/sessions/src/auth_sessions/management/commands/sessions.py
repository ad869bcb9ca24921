"""``manage.py sessions``: list, end and delete sessions from a shell."""

import json
from argparse import ArgumentParser
from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any, cast
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError
from django.core.serializers.json import DjangoJSONEncoder
from django.db import transaction

from auth_core.management.arguments import positive, reason
from auth_core.people import lookup
from auth_core.users import UserLike
from auth_sessions import lifecycle
from auth_sessions.conf import sessions
from auth_sessions.models import Session
from auth_sessions.models.session import SessionQuerySet

#: Sessions read per query.
_BATCH = 1000

_COLUMNS = ("id", "person", "transport", "acr", "opened", "last seen", "network", "device", "risk")
_WIDTHS = (36, 36, 9, 4, 16, 16, 24, 36, 4)


class Command(BaseCommand):
    """Lists, revokes and prunes sessions. Every revocation is recorded with its reason."""

    help = "List, revoke and prune sessions."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the options."""
        verbs = parser.add_subparsers(dest="verb", required=True)
        listing = verbs.add_parser("list", help="Show live sessions, newest first.")
        _add_owner_options(listing).add_argument("--network", help="An IPv4 address, or an IPv6 /64.")
        listing.add_argument(
            "--limit", type=positive, default=100, help="Maximum number of sessions to show (default: 100)."
        )
        listing.add_argument("--json", action="store_true", help="Print JSON.")

        revoking = verbs.add_parser("revoke", help="End sessions.")
        revoking.add_argument("ids", nargs="*", type=UUID, metavar="ID", help="Public id of a session.")
        _add_owner_options(revoking).add_argument("--all", action="store_true", help="End the sessions of all users.")
        revoking.add_argument(
            "--reason", type=reason, default="administrator", help="Reason in the audit trail, one word."
        )
        revoking.add_argument(
            "--no-input", action="store_false", dest="interactive", help="With --all, do not ask for confirmation."
        )

        pruning = verbs.add_parser("prune", help="Delete the rows of sessions that ended or expired long ago.")
        pruning.add_argument(
            "--older-than", type=positive, metavar="DAYS", help="Minimum age (default: AUTH_SESSIONS['KEEP_DEAD'])."
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Run the chosen subcommand."""
        {"list": self._list, "revoke": self._revoke, "prune": self._prune}[options["verb"]](options)

    def _list(self, options: Mapping[str, Any]) -> None:
        live = _selected(options).live().select_related("user__auth_identity").order_by("-pk")
        shown = list(live[: options["limit"] + 1])
        is_cut = len(shown) > options["limit"]
        rows = [_row_of(session) for session in shown[: options["limit"]]]
        if options["json"]:
            self.stdout.write(json.dumps(rows, cls=DjangoJSONEncoder, indent=2))
        else:
            for line in (_COLUMNS, *(_line(row) for row in rows)):
                self.stdout.write("  ".join(map(str.ljust, line, _WIDTHS)).rstrip())
        if is_cut:
            self.stderr.write(f"There are more than {options['limit']} sessions. Use --limit to show more.")

    def _revoke(self, options: Mapping[str, Any]) -> None:
        """End the selected sessions. Fail after that if a named one was not found."""
        selections = [bool(options["ids"]), options["user"] is not None, options["device"] is not None, options["all"]]
        if sum(selections) != 1:
            raise CommandError("Specify exactly one of: ids, --user, --device, --all.")
        if options["all"] and options["interactive"] and input("End the sessions of all users? [yes/no] ") != "yes":
            raise CommandError("Nothing was ended.")
        requested = set(options["ids"])
        selected = _selected(options).filter(pk__in=requested) if requested else _selected(options)
        ended = set(_end_each(selected, reason=options["reason"]))
        number = len(ended) + _end_acted(options["user"])
        self.stdout.write(f"Ended {number} {'session' if number == 1 else 'sessions'}.")
        if missing := sorted(map(str, requested - ended)):
            raise CommandError(f"Not found or already ended: {', '.join(missing)}.")

    def _prune(self, options: Mapping[str, Any]) -> None:
        """Delete in batches, each committed separately. An interrupted run can be repeated."""
        days = options["older_than"]
        deleted = 0
        for number in lifecycle.deleting_dead(older_than=sessions.KEEP_DEAD if days is None else timedelta(days=days)):
            deleted += number
            if options["verbosity"] > 1:
                self.stdout.write(f"{deleted} …")
        self.stdout.write(f"Deleted {deleted} {'row' if deleted == 1 else 'rows'}.")


def _add_owner_options(parser: ArgumentParser) -> Any:
    """Add the mutually exclusive options ``--user`` and ``--device``. The caller may add others to the group."""
    group = parser.add_mutually_exclusive_group()
    group.add_argument("--user", metavar="ID", help="Public id or identifier of a user.")
    group.add_argument("--device", type=UUID, metavar="ID", help="Public id of a device.")
    return group


def _selected(options: Mapping[str, Any]) -> SessionQuerySet:
    """Return the sessions that *options* select. Without a selection: those of all users."""
    selected: SessionQuerySet = Session.objects.exclude(user=None)
    if options["user"] is not None:
        selected = selected.of(_user_named(options["user"]))
    if options["device"] is not None:
        selected = selected.filter(device_id=options["device"])
    return selected.filter(network=options["network"]) if options.get("network") else selected


def _user_named(name: str) -> Any:
    """Return the user with this public id or identifier.

    Raises:
        CommandError: there is no such user.
    """
    try:
        person = lookup.find_by_subject_id(UUID(name))
    except ValueError:
        person = lookup.find_by_identifier(name)
    if person is None:
        raise CommandError("User not found.")
    return person


def _end_each(selected: SessionQuerySet, *, reason: str) -> Iterator[UUID]:
    """End sessions, each committed with its audit entry. Yield the ids of those that this call ended.

    An interrupted run can be repeated. Ended sessions are skipped.
    """
    unended, last = selected.unended().select_related("user").order_by("pk"), UUID(int=0)
    while batch := list(unended.filter(pk__gt=last)[:_BATCH]):
        for session in batch:
            with transaction.atomic(durable=True):
                has_ended = lifecycle.end_session(
                    session_id=session.pk, user=cast("UserLike", session.user), reason=reason
                )
            if has_ended:
                yield session.pk
        last = batch[-1].pk


def _end_acted(name: str | None) -> int:
    """End the sessions in which the user called *name* acts for another person. Return how many."""
    if name is None:
        return 0
    with transaction.atomic(durable=True):
        return lifecycle.end_acted_sessions(user=_user_named(name))


def _row_of(session: Session) -> dict[str, Any]:
    """Return what an operator sees of a session."""
    facts = session.facts
    return {
        "id": session.pk,
        "user": lookup.identity_of(cast("UserLike", session.user)).subject_id,
        "transport": session.transport,
        "acr": facts.acr,
        "amr": facts.amr,
        "created_at": session.created_at,
        "last_seen_at": session.last_seen_at,
        "expires_at": session.expires_at,
        "application": session.application_id,
        "actor": session.actor_id,
        "ip": session.ip,
        "network": session.network,
        "country": session.country,
        "user_agent": session.user_agent,
        "device_id": session.device_id,
        "device_known": session.device_known,
        "risk_score": session.risk_score,
    }


def _line(row: Mapping[str, Any]) -> tuple[str, ...]:
    moments = (row[name].strftime("%Y-%m-%d %H:%M") for name in ("created_at", "last_seen_at"))
    risk = "" if row["risk_score"] is None else str(row["risk_score"])
    cells = (str(row["id"]), str(row["user"]), row["transport"], row["acr"], *moments)
    return (*cells, row["network"], str(row["device_id"] or ""), risk)
