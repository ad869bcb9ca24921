"""Digests of addresses: an address is found by itself and by its networks, and only with the field key."""

from ipaddress import ip_address, ip_network
from typing import Any

import pytest
from django.db import connection
from hypothesis import given, settings
from hypothesis import strategies as st

from auth_audit.models import PersonalKey
from auth_audit.personal import addresses
from auth_audit.personal.addresses import NotSearchable
from auth_audit.search import search
from auth_audit.testing.trail import recorded
from auth_core.events import AuthEvent, Event, record
from auth_core.request.client import Client

OTHER_KEY = {"other": "b3RoZXItb25seS1vdGhlci1vbmx5LW90aGVyLTMyMzI"}


def is_found(address: str, network: str) -> bool:
    """Return whether the digest of *address* is in one of the ranges that a search for *network* compares."""
    ranges = [
        value for _name, value in _leaves(addresses.condition(ip_network(network, strict=False))) if value
    ]  # without the empty condition
    digest = addresses.digest(address, "test")
    return any(low <= digest <= high for low, high in ranges)


def _leaves(condition: Any) -> list[Any]:
    children = [_leaves(child) if hasattr(child, "children") else [child] for child in condition.children]
    return [leaf for child in children for leaf in child]


@given(address=st.ip_addresses(), other=st.ip_addresses(), prefix=st.integers(0, 128))
@settings(deadline=None)
def test_an_address_is_found_by_exactly_the_networks_that_contain_it(address: Any, other: Any, prefix: int) -> None:
    network = ip_network((address, min(prefix, address.max_prefixlen)), strict=False)
    if not addresses.is_searchable(network):
        return

    assert is_found(str(address), str(network))
    assert is_found(str(other), str(network)) == (other in network if other.version == network.version else False)


@pytest.mark.parametrize("network", ["192.0.2.0/25", "192.0.2.0/29", "192.0.0.0/17", "2001:db8::/61", "2001:db8::/125"])
def test_neighbours_of_a_network_are_not_found(network: str) -> None:
    parsed = ip_network(network)

    assert is_found(str(parsed[0]), network)
    assert is_found(str(parsed[-1]), network)
    assert not is_found(str(ip_address(int(parsed[0]) - 1)), network)
    assert not is_found(str(ip_address(int(parsed[-1]) + 1)), network)


@pytest.mark.parametrize(
    ("network", "expected"),
    [
        ("0.0.0.0/0", True), ("0.0.0.0/3", False), ("0.0.0.0/4", True), ("192.0.2.0/31", True), ("::/0", True),
        ("2000::/27", False), ("2000::/28", True), ("2001:db8::/64", True), ("2001:db8::/65", False),
        ("2001:db8::/123", False), ("2001:db8::/124", True), ("2001:db8::/128", True),
    ],
)  # fmt: skip
def test_only_networks_of_few_parts_are_searchable(network: str, expected: bool) -> None:
    assert addresses.is_searchable(ip_network(network)) == expected
    if not expected:
        with pytest.raises(NotSearchable):
            addresses.condition(ip_network(network))


def test_a_digest_fits_its_column_and_needs_the_key(settings: Any) -> None:
    settings.AUTH_CORE = {**settings.AUTH_CORE, "FIELD_KEYS": settings.AUTH_CORE["FIELD_KEYS"] | OTHER_KEY}
    column: Any = PersonalKey._meta.get_field("address")

    assert len(addresses.digest("ffff::1", "test")) == column.max_length == addresses._LONGEST
    assert addresses.digest("192.0.2.1", "test") != addresses.digest("192.0.2.1", "other")


@pytest.mark.django_db
def test_entries_under_a_former_key_are_found(settings: Any) -> None:
    record(Event(name=AuthEvent.EMAIL_VERIFIED, client=Client(ip="192.0.2.1")))
    settings.AUTH_CORE = {**settings.AUTH_CORE, "FIELD_KEYS": OTHER_KEY | settings.AUTH_CORE["FIELD_KEYS"]}
    record(Event(name=AuthEvent.EMAIL_VERIFIED, client=Client(ip="192.0.2.2")))

    found = search(Criteria("192.0.2.0/30"))

    assert list(found.order_by("id")) == recorded("auth.email.verified")


@pytest.mark.postgresql
@pytest.mark.django_db
def test_a_search_for_an_address_reads_its_index_in_one_partition() -> None:
    record(Event(name=AuthEvent.EMAIL_VERIFIED, client=Client(ip="192.0.2.1")))
    with connection.cursor() as cursor:
        # Test tables are so small that a sequential scan would be cheapest.
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute("SELECT tableoid::regclass::text FROM auth_audit_personalkey")
        (partition,) = cursor.fetchone()
    month = recorded()[0].recorded_at.replace(day=1, hour=0, minute=0, second=0, microsecond=0)

    plan = search(Criteria("192.0.2.1", since=month, until=month.replace(day=27))).order_by("-id")[:50].explain()

    assert f"{partition}_address_id_idx" in plan
    assert "Seq Scan" not in plan
    assert "default" not in plan


class Criteria:
    """The filters of a search for a network."""

    name = subject = actor = session = correlation_id = outcome = None

    def __init__(self, network: str, since: Any = None, until: Any = None) -> None:
        self.network = ip_network(network)
        self.since, self.until = since, until
