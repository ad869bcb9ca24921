"""Fills the database of a peer: ``python -m django_peers.seed PEOPLE PASSWORD TOKENS OBJECTS``. Prints tokens as JSON."""

import json
import os
import secrets
import sys
from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Any

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "django_peers.settings")
django.setup()

from django.conf import settings  # noqa: E402 - after the setup
from django.contrib.auth.hashers import make_password  # noqa: E402 - as above
from django.core.management import call_command  # noqa: E402 - as above
from django.db import connection  # noqa: E402 - as above
from django.utils import timezone  # noqa: E402 - as above


def copy_rows(table: str, columns: Sequence[str], rows: Iterator[Sequence[Any]]) -> None:
    """Insert *rows* by COPY."""
    with connection.cursor() as cursor, cursor.copy(f"COPY {table} ({', '.join(columns)}) FROM STDIN") as copy:
        for row in rows:
            copy.write_row(row)


def copy_people(people: int, password: str) -> None:
    """Insert people whose password is *password*, with the numbers 0 and so on in their addresses."""
    encoded, now = make_password(password), timezone.now()
    columns = [
        "id",
        "password",
        "is_superuser",
        "username",
        "first_name",
        "last_name",
        "email",
        "is_staff",
        "is_active",
    ]
    addresses = [f"person{number}@example.org" for number in range(people)]
    copy_rows(
        "auth_user",
        [*columns, "date_joined"],
        (
            (number + 1, encoded, False, address, "", "", address, False, True, now)
            for number, address in enumerate(addresses)
        ),
    )
    if settings.PEER == "allauth":
        rows = ((number + 1, number + 1, address, True, True) for number, address in enumerate(addresses))
        copy_rows("account_emailaddress", ["id", "user_id", "email", "verified", '"primary"'], rows)


def bearer_tokens(number: int) -> list[str]:
    """Create access tokens of the first people."""
    from oauth2_provider.models import AccessToken, Application

    application = Application.objects.create(
        client_type="confidential", authorization_grant_type="client-credentials", client_secret=secrets.token_hex()
    )
    expiry = timezone.now() + timedelta(days=1)
    tokens = [secrets.token_urlsafe(32) for _token in range(number)]
    for user, token in enumerate(tokens, start=1):
        AccessToken.objects.create(token=token, application=application, user_id=user, expires=expiry, scope="read")
    return tokens


def grant_objects(objects: int) -> None:
    """Give the first person a permission for each of the next *objects* people."""
    from django.contrib.auth.models import User
    from guardian.shortcuts import assign_perm

    caller = User.objects.filter(pk=1).get()
    for person in User.objects.filter(pk__gt=1, pk__lte=objects + 1):
        assign_perm("auth.view_user", caller, person)


def main(people: int, password: str, tokens: int, objects: int) -> None:
    """Migrate, insert, and print."""
    call_command("migrate", verbosity=0)
    if settings.PEER != "floor":
        copy_people(people, password)
    if settings.PEER == "guardian":
        grant_objects(objects)
    print(json.dumps(bearer_tokens(tokens) if settings.PEER == "oauth" else []))


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
