"""The databases of sites on PostgreSQL, on the server of ``TEST_DATABASE_URL``, which `./dev guests` starts."""

import os
from urllib.parse import urlsplit

import psycopg
from psycopg import sql


class NoServer(Exception):
    """There is no PostgreSQL."""


def new_database(name: str) -> str:
    """Create an empty database. Return host, port and name, as the settings of the sites read them.

    Raises:
        NoServer: ``TEST_DATABASE_URL`` names none.
    """
    url = os.environ.get("TEST_DATABASE_URL", "")
    if not url:
        raise NoServer("TEST_DATABASE_URL is not set, so there is no site on PostgreSQL.")
    with psycopg.connect(url, autocommit=True) as connection:
        for database in (name, f"test_{name}"):
            connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(database)))
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    parts = urlsplit(url)
    return f"{parts.hostname},{parts.port or 5432},{name}"
