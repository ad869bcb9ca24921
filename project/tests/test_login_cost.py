"""The cost of a login in the composed service: statements, commits, and round trips to the shared cache."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from auth_core.conf import core
from auth_core.flows.account_creation import create_account
from auth_core.runtime.redis_cache import shared_cache
from auth_core.testing.browsers import log_in, new_browser
from auth_core.testing.factories import PASSWORD
from auth_mfa.testing.factors import add_totp

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(connection.vendor != "postgresql", reason="other databases have no such statements"),
]


@dataclass
class Cost:
    statements: list[str]
    commits: int
    round_trips: int


@contextmanager
def cost() -> Iterator[Cost]:
    found = Cost([], 0, 0)
    cache = shared_cache(core.REDIS_URL)
    before = cache.round_trips if cache else 0
    with CaptureQueriesContext(connection) as queries:
        yield found
    found.round_trips = (cache.round_trips if cache else 0) - before
    depth = 0
    for sql in (query["sql"].strip() for query in queries.captured_queries):
        word = sql.split(maxsplit=1)[0].rstrip(";").upper()
        if word == "BEGIN":
            depth = 1
        elif word in ("COMMIT", "ROLLBACK"):
            found.commits += word == "COMMIT"
            depth = 0
        elif word in ("SAVEPOINT", "RELEASE"):
            found.statements.append(sql)
        else:
            found.statements.append(sql)
            found.commits += not depth and word != "SELECT"


def test_show():
    alice = create_account(email="alice@example.org", password=PASSWORD, verified=True)
    log_in(new_browser(), transport="token")
    rows = {}
    with cost() as rows["token"]:
        assert log_in(new_browser(), transport="token").status_code == 200
    known = new_browser()
    log_in(known)
    device = known.cookies["__Host-device"].value
    b = new_browser()
    b.cookies["__Host-device"] = device
    with cost() as rows["cookie known"]:
        assert log_in(b).status_code == 200
    with cost() as rows["cookie new"]:
        assert log_in(new_browser()).status_code == 200
    b = new_browser()
    with cost() as rows["wrong"]:
        assert log_in(b, password="wrong wrong wrong", transport="token").status_code == 401
    with cost() as rows["unknown"]:
        assert log_in(b, identifier="eve@example.org", transport="token").status_code == 401
    add_totp(alice)
    with cost() as rows["challenged"]:
        assert log_in(b, transport="token").status_code == 202
    for name, c in rows.items():
        print("COST", name, len(c.statements), c.commits, c.round_trips)
        for s in c.statements:
            print("   STMT", " ".join(s.split())[:160])
