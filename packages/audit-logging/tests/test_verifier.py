"""Canonical JSON and the Merkle tree: test vectors of the standards, and random values."""

import base64
import json
import struct
import subprocess
import sys
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auth_audit import offline_verifier
from auth_audit.offline_verifier import (
    NotCanonical,
    canonical_json,
    is_consistent,
    is_included,
    leaf_hash,
    node_hash,
    root_hash,
)
from auth_audit.seal import merkle

#: RFC 8785 appendix B: the bits of a double, and its text.
NUMBERS = {
    "0000000000000000": "0",
    "8000000000000000": "0",
    "0000000000000001": "5e-324",
    "8000000000000001": "-5e-324",
    "7fefffffffffffff": "1.7976931348623157e+308",
    "ffefffffffffffff": "-1.7976931348623157e+308",
    "4340000000000000": "9007199254740992",
    "c340000000000000": "-9007199254740992",
    "4430000000000000": "295147905179352830000",
    "44b52d02c7e14af5": "9.999999999999997e+22",
    "44b52d02c7e14af6": "1e+23",
    "44b52d02c7e14af7": "1.0000000000000001e+23",
    "444b1ae4d6e2ef4e": "999999999999999700000",
    "444b1ae4d6e2ef4f": "999999999999999900000",
    "444b1ae4d6e2ef50": "1e+21",
    "3eb0c6f7a0b5ed8c": "9.999999999999997e-7",
    "3eb0c6f7a0b5ed8d": "0.000001",
    "41b3de4355555553": "333333333.3333332",
    "41b3de4355555554": "333333333.33333325",
    "41b3de4355555555": "333333333.3333333",
    "41b3de4355555556": "333333333.3333334",
    "41b3de4355555557": "333333333.33333343",
    "becbf647612f3696": "-0.0000033333333333333333",
    "43143ff3c1cb0959": "1424953923781206.2",
}

#: The test tree of the reference implementation of Certificate Transparency, in hex: leaves, and the root for
#: each size.
LEAVES = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"]
ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
HASHES = [leaf_hash(bytes.fromhex(leaf)) for leaf in LEAVES]


def node_over(leaves: list[bytes]) -> merkle.Node:
    def node(height: int, index: int) -> bytes:
        return root_hash(leaves[index << height : (index + 1) << height])

    return node


@pytest.mark.parametrize(("bits", "text"), NUMBERS.items())
def test_numbers_match_the_vectors_of_rfc_8785(bits: str, text: str) -> None:
    (value,) = struct.unpack(">d", bytes.fromhex(bits))

    assert canonical_json(value).decode() == text


@pytest.mark.parametrize("bits", ["7fffffffffffffff", "7ff0000000000000", "fff0000000000000"])
def test_nan_and_infinity_are_refused(bits: str) -> None:
    (value,) = struct.unpack(">d", bytes.fromhex(bits))

    with pytest.raises(NotCanonical):
        canonical_json(value)


@pytest.mark.parametrize("value", [2**53, -(2**53), "\ud800", {"\udc00": 1}, object()])
def test_ambiguous_values_are_refused(value: Any) -> None:
    with pytest.raises(NotCanonical):
        canonical_json(value)


def test_the_example_of_rfc_8785() -> None:
    """Source: RFC 8785 sections 3.2.2 to 3.2.4."""
    example = {
        "numbers": [333333333.33333329, 1e30, 4.50, 2e-3, 0.000000000000000000000000001],
        "string": "\u20ac$\u000f\u000aA'\u0042\u0022\u005c\\\"/",
        "literals": [None, True, False],
    }

    assert canonical_json(example).decode() == (
        '{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],'
        '"string":"€$\\u000f\\nA\'B\\"\\\\\\\\\\"/"}'
    )


def test_members_are_sorted_by_utf_16_code_units() -> None:
    """Source: RFC 8785 section 3.2.3. UTF-16 code units put an emoji before a Hebrew presentation form."""
    example = {"\u20ac": 0, "\r": 1, "\ufb33": 2, "1": 3, "\U0001f600": 4, "\u0080": 5, "\u00f6": 6}

    assert list(json.loads(canonical_json(example)).values()) == [1, 3, 5, 6, 0, 4, 2]


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(codec="utf-8")),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(st.characters(codec="utf-8")), inner, max_size=3)
    ),
    max_leaves=10,
)


@given(JSON)
def test_canonical_json_reads_back_and_is_stable(value: Any) -> None:
    text = canonical_json(value)

    value_read = json.loads(text, parse_int=float)  # as in ECMAScript, which has no other numbers
    assert value_read == value
    assert canonical_json(value_read) == text


@pytest.mark.parametrize("size", range(1, 9))
def test_roots_match_the_reference_implementation(size: int) -> None:
    node = node_over(HASHES)

    assert root_hash(HASHES[:size]).hex() == merkle.root(size, node).hex() == ROOTS[size - 1]
    assert root_hash([]) == sha256(b"").digest()


def test_proofs_match_the_example_of_rfc_6962() -> None:
    """Source: RFC 6962 section 2.1.3, with its letters."""
    a, b, c, d, e, f, j = HASHES[:7]
    g, h, i, k = node_hash(a, b), node_hash(c, d), node_hash(e, f), node_hash(node_hash(a, b), node_hash(c, d))
    left = node_hash(i, j)
    node = node_over(HASHES[:7])

    assert merkle.inclusion_path(0, 7, node) == [b, h, left]
    assert merkle.inclusion_path(3, 7, node) == [c, g, left]
    assert merkle.inclusion_path(4, 7, node) == [f, j, k]
    assert merkle.inclusion_path(6, 7, node) == [i, k]
    assert merkle.consistency_path(3, 7, node) == [c, d, g, left]
    assert merkle.consistency_path(4, 7, node) == [left]
    assert merkle.consistency_path(6, 7, node) == [i, j, k]


@pytest.mark.parametrize("size", [1, 2, 3, 5, 8, 13, 64, 65])
def test_only_correct_inclusion_proofs_are_accepted(size: int) -> None:
    leaves = [leaf_hash(bytes([number])) for number in range(size)]
    node, root = node_over(leaves), root_hash(leaves)

    for number, leaf in enumerate(leaves):
        path = merkle.inclusion_path(number, size, node)
        assert is_included(leaf, number, size, path, root)
        assert not is_included(leaf_hash(b"other"), number, size, path, root)
        assert not is_included(leaf, number, size, [*path, leaf], root)
        assert not is_included(leaf, number + 1, size, path, root)
        assert not path or not is_included(leaf, number, size, path[:-1], root)


@pytest.mark.parametrize("size", [1, 2, 3, 5, 8, 13, 33])
def test_only_correct_consistency_proofs_are_accepted(size: int) -> None:
    leaves = [leaf_hash(bytes([number])) for number in range(size)]
    node, root = node_over(leaves), root_hash(leaves)

    for first in range(1, size + 1):
        path, before = merkle.consistency_path(first, size, node), root_hash(leaves[:first])
        assert is_consistent(first, size, before, root, path)
        forged = root_hash([leaf_hash(b"other"), *leaves[1:first]])
        assert not is_consistent(first, size, forged, root, path)
        assert not is_consistent(first, size, before, leaf_hash(b"other"), path)
        assert not is_consistent(first, size, before, root, [*path, root])


@given(data=st.data(), size=st.integers(2, 300))
def test_every_change_of_a_tree_changes_its_root(data: st.DataObject, size: int) -> None:
    leaves = [leaf_hash(number.to_bytes(2, "big")) for number in range(size)]
    changed = list(leaves)
    index = data.draw(st.integers(0, size - 2))
    change = data.draw(st.sampled_from(["change", "remove", "insert", "swap", "cut"]))
    if change == "change":
        changed[index] = leaf_hash(b"changed")
    elif change == "remove":
        del changed[index]
    elif change == "insert":
        changed.insert(index, leaf_hash(b"inserted"))
    elif change == "swap":
        changed[index], changed[index + 1] = changed[index + 1], changed[index]
    else:
        changed = changed[: index + 1]

    assert root_hash(changed) != root_hash(leaves)


def test_the_verifier_runs_without_django() -> None:
    path = Path(offline_verifier.__file__)
    program = f"import sys, runpy; sys.argv = ['verifier.py', '--help']\ntry: runpy.run_path({str(path)!r}, run_name='__main__')\nfinally: assert 'django' not in sys.modules and 'auth_audit' not in sys.modules"

    result = subprocess.run([sys.executable, "-I", "-c", program], capture_output=True, text=True, check=False)

    assert result.returncode == 0, result.stderr
    assert "--against" in result.stdout


def test_invalid_base64url_is_refused() -> None:
    assert offline_verifier.from_base64url(offline_verifier.to_base64url(b"\xfb\xff")) == b"\xfb\xff"
    with pytest.raises(ValueError, match="base64"):
        offline_verifier.from_base64url("n;t")
    assert base64.urlsafe_b64encode(b"\xfb\xff") == b"-_8="
