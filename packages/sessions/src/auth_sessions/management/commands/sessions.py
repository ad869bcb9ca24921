"""``manage.py sessions``: see, end and delete sessions from a shell."""

import json
from argparse import ArgumentParser, ArgumentTypeError
from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError
from django.core.serializers.json import DjangoJSONEncoder
from django.db import transaction

from auth_core.people import lookup
from auth_core.text import Pattern
from auth_sessions import lifecycle
from auth_sessions.conf import sessions
from auth_sessions.models import Session
from auth_sessions.models.session import SessionQuerySet

#: What may be a reason in the trail: a word, never a sentence about somebody.
_REASON = Pattern(r"[a-z][a-z0-9_]{0,31}", at_most=32)

#: Sessions that are read at once.
_BATCH = 1000

_COLUMNS = ("id", "person", "transport", "acr", "opened", "last seen", "network", "device", "risk")
_WIDTHS = (36, 36, 9, 4, 16, 16, 24, 36, 4)


class Command(BaseCommand):
    """What an operator does who has no browser at hand; every end is recorded with its reason."""

    help = "List, revoke and prune sessions."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the options."""
        verbs = parser.add_subparsers(dest="verb", required=True)
        listing = verbs.add_parser("list", help="Show live sessions, newest first.")
        _whose(listing).add_argument("--network", help="An IPv4 address, or an IPv6 /64.")
        listing.add_argument("--limit", type=_positive, default=100, help="Show so many at most (100).")
        listing.add_argument("--json", action="store_true", help="Print them as JSON.")

        revoking = verbs.add_parser("revoke", help="End sessions.")
        revoking.add_argument("ids", nargs="*", type=UUID, metavar="ID", help="Public id of a session.")
        _whose(revoking).add_argument("--all", action="store_true", help="End the sessions of everybody.")
        revoking.add_argument("--reason", type=_reason, default="administrator", help="A word for the trail.")
        revoking.add_argument(
            "--no-input", action="store_false", dest="interactive", help="Do not ask before everybody's end."
        )

        pruning = verbs.add_parser("prune", help="Delete the rows of sessions that ended or expired long ago.")
        pruning.add_argument(
            "--older-than", type=_positive, metavar="DAYS", help="How long ago; else AUTH_SESSIONS['KEEP_DEAD']."
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Do one of the three."""
        {"list": self._list, "revoke": self._revoke, "prune": self._prune}[options["verb"]](options)

    def _list(self, options: Mapping[str, Any]) -> None:
        found = _found(options).live().select_related("user__auth_identity").order_by("-pk")
        shown = list(found[: options["limit"] + 1])
        more = len(shown) > options["limit"]
        rows = [_seen(session) for session in shown[: options["limit"]]]
        if options["json"]:
            self.stdout.write(json.dumps(rows, cls=DjangoJSONEncoder, indent=2))
        else:
            for line in (_COLUMNS, *(_line(row) for row in rows)):
                self.stdout.write("  ".join(map(str.ljust, line, _WIDTHS)).rstrip())
        if more:
            self.stderr.write(f"There are more than {options['limit']}; see --limit.")

    def _revoke(self, options: Mapping[str, Any]) -> None:
        """End what was named; what cannot be found is an error once the others have ended."""
        named = [bool(options["ids"]), options["user"] is not None, options["device"] is not None, options["all"]]
        if sum(named) != 1:
            raise CommandError("Say which: ids, --user, --device, or --all.")
        if options["all"] and options["interactive"] and input("End the sessions of everybody? [yes/no] ") != "yes":
            raise CommandError("Nothing was ended.")
        wanted = set(options["ids"])
        found = _found(options).filter(pk__in=wanted) if wanted else _found(options)
        ended = set(_ending(found, reason=options["reason"]))
        self.stdout.write(f"Ended {len(ended)} {'session' if len(ended) == 1 else 'sessions'}.")
        if missing := sorted(map(str, wanted - ended)):
            raise CommandError(f"Not found, or ended already: {', '.join(missing)}.")

    def _prune(self, options: Mapping[str, Any]) -> None:
        """Delete in batches, each committed for itself: whoever is interrupted goes on with the next call."""
        days = options["older_than"]
        deleted = 0
        for number in lifecycle.deleting_dead(older_than=sessions.KEEP_DEAD if days is None else timedelta(days=days)):
            deleted += number
            if options["verbosity"] > 1:
                self.stdout.write(f"{deleted} …")
        self.stdout.write(f"Deleted {deleted} {'row' if deleted == 1 else 'rows'}.")


def _whose(parser: ArgumentParser) -> Any:
    """Let a person or a device be named, or what the caller adds: one of them."""
    group = parser.add_mutually_exclusive_group()
    group.add_argument("--user", metavar="ID", help="Public id of a person, or what they sign in with.")
    group.add_argument("--device", type=UUID, metavar="ID", help="Public id of a device.")
    return group


def _found(options: Mapping[str, Any]) -> SessionQuerySet:
    """Return the sessions that *options* name; of anybody who is signed in where they name nobody."""
    found: SessionQuerySet = Session.objects.exclude(user=None)
    if options["user"] is not None:
        found = found.of(_person(options["user"]))
    if options["device"] is not None:
        found = found.filter(device_id=options["device"])
    return found.filter(network=options["network"]) if options.get("network") else found


def _person(named: str) -> Any:
    """Return whom the operator means.

    Raises:
        CommandError: nobody.
    """
    try:
        person = lookup.find_by_subject_id(UUID(named))
    except ValueError:
        person = lookup.find_by_identifier(named)
    if person is None:
        raise CommandError("There is no such person.")
    return person


def _ending(found: SessionQuerySet, *, reason: str) -> Iterator[UUID]:
    """End them, each committed with its entry; yield the ids of those that this call ended.

    Whoever is interrupted calls again: what has ended is not looked at any more.
    """
    unended, last = found.unended().select_related("user").order_by("pk"), UUID(int=0)
    while batch := list(unended.filter(pk__gt=last)[:_BATCH]):
        for session in batch:
            with transaction.atomic(durable=True):
                has_ended = lifecycle.end_session(session_id=session.pk, user=session.user, reason=reason)
            if has_ended:
                yield session.pk
        last = batch[-1].pk


def _seen(session: Session) -> dict[str, Any]:
    """Return what an operator sees of a session."""
    facts = session.facts
    return {
        "id": session.pk,
        "user": lookup.identity_of(session.user).subject_id,
        "transport": session.transport,
        "acr": facts.acr,
        "amr": facts.amr,
        "created_at": session.created_at,
        "last_seen_at": session.last_seen_at,
        "expires_at": session.expires_at,
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
    known = (str(row["id"]), str(row["user"]), row["transport"], row["acr"], *moments)
    return (*known, row["network"], str(row["device_id"] or ""), risk)


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise ArgumentTypeError("must be 1 or more")
    return int(text)


def _reason(text: str) -> str:
    if not _REASON.fullmatch(text):
        raise ArgumentTypeError("must be one word of lower-case letters, digits and underscores, 32 at most")
    return text
