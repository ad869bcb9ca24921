"""What is an address, and which two are one."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auth_core.emails import InvalidAddress, parse


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("alice@example.org", "alice@example.org"),
        ("Alice@Example.ORG", "alice@example.org"),
        (" alice@example.org ", "alice@example.org"),
        ("alice+tag@example.org", "alice+tag@example.org"),
        ("a.b-c_d@sub.example.org", "a.b-c_d@sub.example.org"),
        ("jürgen@bücher.example", "jürgen@xn--bcher-kva.example"),
        ("JU\u0308RGEN@B\u00dcCHER.example", "jürgen@xn--bcher-kva.example"),
        ("\uff41lice@example.org", "alice@example.org"),
        ("stra\u00dfe@example.org", "strasse@example.org"),
    ],
)
def test_spellings_of_one_mailbox_have_one_key(text: str, key: str) -> None:
    assert parse(text).key == key


def test_how_it_was_written_is_kept() -> None:
    assert parse(" Alice@Example.ORG ").display == "Alice@Example.ORG"


def test_a_dotless_i_is_another_letter() -> None:
    assert parse("al\u0131ce@example.org").key != parse("alice@example.org").key


@pytest.mark.parametrize(
    ("one", "other"), [("fa\u00df", "fass"), ("\u03b2\u03cc\u03bb\u03bf\u03c2", "\u03b2\u03cc\u03bb\u03bf\u03c3")]
)
def test_domains_of_two_owners_are_two(one: str, other: str) -> None:
    assert parse(f"alice@{one}.example").key != parse(f"alice@{other}.example").key


@pytest.mark.parametrize(
    "text",
    [
        "", "alice", "@example.org", "alice@", "a@b@c.org", "alice@example", "alice@-example.org", "alice@exa mple.org",
        "alice@127.0.0.1", "alice@[127.0.0.1]", "alice@example..org", ".alice@example.org", "alice.@example.org",
        "al..ice@example.org", '"alice"@example.org', "alice(comment)@example.org", "<alice@example.org>",
        "alice\uff20example.org", "alice@evil.org\uff20example.org", "alice\u202e@example.org", "ali\u200bce@example.org",
        "alice\x00@example.org", "alice\r\nBcc: x@example.org", "alice@example.org\n", "\ud800@example.org",
        "alice\u2066@example.org", "a" * 65 + "@example.org", "alice@" + "a" * 64 + ".org", "alice@\u3000.org",
        "a" * 309 + "@example.org",
    ],
)  # fmt: skip
@pytest.mark.asvs("1.3.11")
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(InvalidAddress):
        parse(text)


@pytest.mark.parametrize("text", ["a@" + "b." * 100_000 + "org", "a" * 1_000_000, "\ufdfa" * 100_000 + "@example.org"])
@pytest.mark.asvs("1.3.12")
def test_what_is_huge_costs_nothing(text: str) -> None:
    began = time.perf_counter()

    with pytest.raises(InvalidAddress) as refused:
        parse(text)

    assert refused.value.code == "too_long"
    assert time.perf_counter() - began < 0.05


@given(st.text(max_size=330))
def test_anything_is_an_address_or_refused(text: str) -> None:
    try:
        address = parse(text)
    except InvalidAddress:
        return
    assert parse(address.key).key == address.key
    assert address.key.isprintable()
