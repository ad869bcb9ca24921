"""Email addresses: which are valid, and which are equal."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auth_core.people.addresses import InvalidAddress, parse


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("alice@example.org", "alice@example.org"),
        ("Alice@Example.ORG", "alice@example.org"),
        (" alice@example.org ", "alice@example.org"),
        ("alice+tag@example.org", "alice+tag@example.org"),
        ("a.b-c_d@sub.example.org", "a.b-c_d@sub.example.org"),
        ("jürgen@bücher.example", "jürgen@xn--bcher-kva.example"),
        ("Ju\u0308rgen@B\u00dcCHER.example", "jürgen@xn--bcher-kva.example"),
    ],
)
def test_spellings_of_one_mailbox_have_one_key(text: str, key: str) -> None:
    assert parse(text).key == key


@pytest.mark.parametrize(
    ("text", "mailbox"),
    [
        (" Alice@Example.ORG ", "Alice@example.org"),
        ("Ju\u0308rgen@B\u00dcCHER.example", "J\u00fcrgen@xn--bcher-kva.example"),
        ("alice@fa\u00df.example", "alice@xn--fa-hia.example"),
    ],
)
def test_the_mailbox_keeps_the_local_part_and_uses_the_host_of_the_key(text: str, mailbox: str) -> None:
    assert parse(text).mailbox == mailbox


def test_different_non_ascii_letters_have_different_keys() -> None:
    keys: dict[str, str] = {}

    for number in [*range(0x80, 0x3400), *range(0xF900, 0x10000), *range(0x1D400, 0x1D800)]:
        try:
            address = parse(f"a{chr(number)}@example.org")
        except InvalidAddress:
            continue
        assert keys.setdefault(address.key, address.mailbox) == address.mailbox == address.key
        assert not address.key.isascii()

    assert len(keys) > 5000


def test_a_dotless_i_is_a_different_letter() -> None:
    assert parse("al\u0131ce@example.org").key != parse("alice@example.org").key


@pytest.mark.parametrize(
    ("one", "other"), [("fa\u00df", "fass"), ("\u03b2\u03cc\u03bb\u03bf\u03c2", "\u03b2\u03cc\u03bb\u03bf\u03c3")]
)
def test_domains_of_different_owners_have_different_keys(one: str, other: str) -> None:
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
def test_an_invalid_address_is_refused(text: str) -> None:
    with pytest.raises(InvalidAddress):
        parse(text)


@pytest.mark.parametrize("text", ["a@" + "b." * 100_000 + "org", "a" * 1_000_000, "\ufdfa" * 100_000 + "@example.org"])
@pytest.mark.asvs("1.3.12")
def test_a_huge_address_is_refused_quickly(text: str) -> None:
    began = time.thread_time()

    with pytest.raises(InvalidAddress) as refused:
        parse(text)

    assert refused.value.code == "too_long"
    assert time.thread_time() - began < 1


@given(st.text(max_size=330))
def test_any_text_is_an_address_or_refused(text: str) -> None:
    try:
        address = parse(text)
    except InvalidAddress:
        return
    assert parse(address.key).key == address.key
    assert parse(address.mailbox) == address
    assert address.mailbox.casefold() == address.key
    assert address.mailbox.partition("@")[2].isascii()
    assert address.key.isprintable()
