"""What packages read about a person at a login, in one statement on PostgreSQL.

Each package registers a scalar subquery (`auth_core.registries.LoginRead`). The statement runs after the password was
verified, so that an unknown identifier and a wrong password cost the same work. It is read before the transaction of
the grant, which is therefore short.
"""

import json
from collections.abc import Sequence
from typing import Any

from django.contrib.auth import get_user_model
from django.db import DatabaseError, connections, router

from auth_core.registries import LoginRead, login_reads
from auth_core.request.client import Client
from auth_core.runtime import prepared_statements
from auth_core.users import UserLike


def read_together(user: UserLike, client: Client) -> None:
    """Read what the registered packages need about *user*, and let them keep it on *user*.

    Does nothing on other databases than PostgreSQL, if the packages have different databases, or if the statement
    fails. The packages then read by themselves, and each decides what a failure means.
    """
    reads = list(login_reads.items())
    databases = {router.db_for_write(model) for _name, read in reads for model in read.models()}
    if len(databases) != 1:
        return
    connection = connections[databases.pop()]
    if connection.vendor != "postgresql":
        return
    key: Any = get_user_model()._meta.pk
    values = {"user": key.get_db_prep_value(user.pk, connection)}
    for _name, read in reads:
        values |= read.values(client)
    statement = _statement([read for _name, read in reads])
    try:
        [row] = prepared_statements.put(connection, statement, values, uses_before=1)
    except DatabaseError:
        if connection.in_atomic_block:
            raise
        return
    for (_name, read), stored in zip(reads, row, strict=True):
        read.keep(user, json.loads(stored), client)


def _statement(reads: Sequence[LoginRead]) -> str:
    return "SELECT " + ", ".join(f"CAST({read.sql()} AS text)" for read in reads)
