"""What packages read about a person at a login, in one statement on PostgreSQL.

Each package registers a scalar subquery (`auth_core.registries.PersonRead`). The statement runs after the password was
verified, so that an unknown identifier and a wrong password cost the same work. It is read before the transaction of
the grant, which is therefore short.
"""

from functools import lru_cache
from typing import Any

from django.contrib.auth import get_user_model
from django.db import DatabaseError, connections, router

from auth_core.people.lookup import keep_read
from auth_core.registries import Occasion, PersonRead, person_reads
from auth_core.request.client import Client
from auth_core.runtime import prepared_statements
from auth_core.users import UserLike


def read_together(user: UserLike, client: Client, *, assesses_risk: bool) -> None:
    """Read what the registered packages need about *user*, and let them keep it on *user*.

    Does nothing on other databases than PostgreSQL, if the packages have different databases, or if the statement
    fails. The packages then read by themselves, and each decides what a failure means.

    Args:
        user: The person.
        client: The origin of the login.
        assesses_risk: Whether the risk of the login will be assessed.
    """
    occasions = {Occasion.LOGIN, Occasion.RISK} if assesses_risk else {Occasion.LOGIN}
    reads = tuple(read for read in person_reads.values() if occasions & read.occasions)
    databases = {router.db_for_write(model) for read in reads for model in read.models()}
    if len(databases) != 1:
        return
    connection = connections[databases.pop()]
    if connection.vendor != "postgresql":
        return
    key: Any = get_user_model()._meta.pk
    values = {"user": key.get_db_prep_value(user.pk, connection)}
    for read in reads:
        values |= read.values(client)
    try:
        [row] = prepared_statements.put(connection, _statement(reads), values, uses_before=1)
    except DatabaseError:
        if connection.in_atomic_block:
            raise
        return
    for read, text in zip(reads, row, strict=True):
        keep_read(read, user, text)


@lru_cache(maxsize=16)
def _statement(reads: tuple[PersonRead, ...]) -> str:
    return "SELECT " + ", ".join(f"CAST(({read.sql('%(user)s')}) AS text)" for read in reads)
