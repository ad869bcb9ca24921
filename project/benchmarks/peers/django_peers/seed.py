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


def provider_values(number: int, tokens: int) -> dict[str, object]:
    """Register clients of django-oauth-toolkit, and create codes, refresh tokens and access tokens of people."""
    from oauth2_provider.models import AccessToken, Application, Grant, RefreshToken

    secret, until = secrets.token_hex(24), timezone.now() + timedelta(days=1)
    common = {"client_type": "confidential", "client_secret": secret, "hash_client_secret": False}
    web = Application.objects.create(
        **common, authorization_grant_type="authorization-code", redirect_uris=_REDIRECT_URI, algorithm="RS256"
    )
    service = Application.objects.create(**common, authorization_grant_type="client-credentials")
    people = _people(number)
    refresh, codes, access = (
        [secrets.token_urlsafe(32) for _each in range(count)] for count in (number, number, tokens)
    )
    rows = [
        AccessToken(token=secrets.token_urlsafe(32), application=web, user_id=user, expires=until, scope="profile")
        for user in people
    ]
    AccessToken.objects.bulk_create(rows, batch_size=2000)
    RefreshToken.objects.bulk_create(
        [
            RefreshToken(token=token, application=web, user_id=row.user_id, access_token=row)
            for token, row in zip(refresh, rows, strict=True)
        ],
        batch_size=2000,
    )
    Grant.objects.bulk_create(
        [
            Grant(
                code=code, application=web, user_id=user, expires=until, redirect_uri=_REDIRECT_URI, scope="profile",
                code_challenge=_CHALLENGE, code_challenge_method="S256",
            )
            for code, user in zip(codes, people, strict=True)
        ],
        batch_size=2000,
    )  # fmt: skip
    for user, token in enumerate(access, start=1):
        AccessToken.objects.create(
            token=token, application=web, user_id=user, expires=until, scope="openid profile read"
        )
    clients = {"web": [web.client_id, secret], "service": [service.client_id, secret]}
    return {**clients, "refresh": refresh, "codes": codes, "access": access}


def jwt_values(number: int, tokens: int) -> dict[str, object]:
    """Create refresh tokens of SimpleJWT with their rows, and access tokens."""
    from django.contrib.auth.models import User
    from rest_framework_simplejwt.token_blacklist.models import OutstandingToken
    from rest_framework_simplejwt.tokens import AccessToken, RefreshToken

    made, now = [], timezone.now()
    for user in _people(number):
        token = RefreshToken()
        token["user_id"] = str(user)
        made.append((user, token))
    OutstandingToken.objects.bulk_create(
        [
            OutstandingToken(
                user_id=user, jti=token["jti"], token=str(token), created_at=now, expires_at=now + token.lifetime
            )
            for user, token in made
        ],
        batch_size=2000,
    )
    access = []
    for user in User.objects.order_by("pk")[:tokens]:
        token = AccessToken.for_user(user)
        token.set_exp(lifetime=timedelta(days=1))
        access.append(str(token))
    return {"refresh": [str(token) for _user, token in made], "access": access}


def _people(number: int) -> list[int]:
    """Return *number* keys of people, in turns."""
    from django.contrib.auth.models import User

    keys = list(User.objects.order_by("pk").values_list("pk", flat=True)[:number])
    return [keys[each % len(keys)] for each in range(number)]


_REDIRECT_URI = "https://rp.example/callback"
_CHALLENGE = os.environ.get("CODE_CHALLENGE", "")


def main(people: int, password: str, tokens: int, objects: int) -> None:
    """Migrate, insert, and print."""
    call_command("migrate", verbosity=0)
    if settings.PEER != "floor":
        copy_people(people, password)
    if settings.PEER == "guardian":
        grant_objects(objects)
    if once := int(os.environ.get("ONCE", "0")):
        print(json.dumps((provider_values if settings.PEER == "oauth" else jwt_values)(once, tokens)))
    else:
        print(json.dumps(bearer_tokens(tokens) if settings.PEER == "oauth" else []))


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
