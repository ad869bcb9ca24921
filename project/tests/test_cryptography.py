"""What the source may and may not use for cryptography; each rule sees its planted defect."""

import ast
import multiprocessing
import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from auth_core.conf import CoreSettings
from auth_core.one_time import new_secret

ROOT = Path(__file__).resolve().parents[2]
SOURCES = [
    path
    for pattern in ("packages/*/src/**/*.py", "project/enterprise_auth/**/*.py")
    for path in ROOT.glob(pattern)
    if "migrations" not in path.parts
]

#: Where a random number is jitter and protects nothing.
JITTER = ("auth_core/outbox.py", "auth_sessions/snapshots.py")

LIBRARIES = {"cryptography", "hashlib", "hmac", "secrets", "argon2"}
FORBIDDEN_LIBRARIES = {"Crypto", "Cryptodome", "nacl", "jwt", "jose", "rsa", "ecdsa", "pyaes", "passlib", "bcrypt"}


def names(text: str) -> Iterator[str]:
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Attribute):
            yield node.attr
        elif isinstance(node, ast.Name):
            yield node.id
        elif isinstance(node, ast.alias):
            yield from node.name.split(".")


def broken_primitives(text: str) -> set[str]:
    """Return names of broken hashes, modes and paddings."""
    bad = re.compile(r"(?i)^(md[245]|sha1|ecb|cbc|rc4|arc4|tripledes|des|blowfish|pkcs1v15)$")
    return {name for name in names(text) if bad.match(name)}


def foreign_libraries(text: str) -> set[str]:
    """Return cryptographic libraries other than OpenSSL's and argon2's."""
    return FORBIDDEN_LIBRARIES.intersection(names(text))


def weak_random(text: str) -> set[str]:
    """Return uses of a generator that can be foretold, or of a UUID as a secret."""
    tree = ast.parse(text)
    imported = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    imported |= {str(node.module) for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    return imported & {"random", "django.utils.crypto.get_random_string"}


def naive_comparisons(text: str) -> set[str]:
    """Return what is compared with ``==`` although where it differs is nobody's business; passwords are never compared, but hashed."""
    secret = re.compile(r"(^|_)(digest|mac|signature|hash|secret|credential)$")
    compared = [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Compare)]
    equal = [node for node in compared if isinstance(node.ops[0], ast.Eq | ast.NotEq)]
    sides = [(side, node) for node in equal for side in (node.left, *node.comparators)]
    found = {getattr(side, "attr", getattr(side, "id", "")) for side, node in sides if not _has_constant(node)}
    return {name for name in found if secret.search(name)}


def _has_constant(node: ast.Compare) -> bool:
    return any(isinstance(side, ast.Constant) for side in (node.left, *node.comparators))


def found(rule: Callable[[str], set[str]]) -> dict[str, set[str]]:
    return {str(path.relative_to(ROOT)): bad for path in SOURCES if (bad := rule(path.read_text()))}


@pytest.mark.asvs("11.3.1")
@pytest.mark.asvs("11.3.5")
@pytest.mark.asvs("11.4.1")
@pytest.mark.asvs("11.4.3")
def test_nothing_broken_is_used() -> None:
    assert found(broken_primitives) == {}
    assert broken_primitives("hashlib.md5(x)") == {"md5"}
    assert broken_primitives("from x.modes import ECB") == {"ECB"}


@pytest.mark.asvs("11.2.1")
@pytest.mark.asvs("11.6.1")
def test_only_validated_libraries_are_used() -> None:
    assert found(foreign_libraries) == {}
    assert foreign_libraries("import nacl.secret") == {"nacl"}


@pytest.mark.asvs("11.5.1")
def test_only_the_systems_generator_makes_secrets() -> None:
    assert {path for path in found(weak_random) if not path.endswith(JITTER)} == set()
    assert weak_random("import random") == {"random"}


@pytest.mark.asvs("11.2.4")
def test_secrets_are_compared_in_constant_time() -> None:
    assert found(naive_comparisons) == {}
    assert naive_comparisons("entry.mac == made") == {"mac"}
    assert naive_comparisons("hmac.compare_digest(entry.mac, made)") == set()


def uses_cryptography(text: str) -> set[str]:
    """Return what a file imports for cryptography."""
    kit = LIBRARIES | {"salted_hmac", "constant_time_compare", "get_random_string"}
    imports = [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Import | ast.ImportFrom)]
    modules = {str(node.module).split(".")[0] for node in imports if isinstance(node, ast.ImportFrom)}
    return kit.intersection({*modules, *(alias.name.split(".")[0] for node in imports for alias in node.names)})


@pytest.mark.asvs("11.1.2")
@pytest.mark.asvs("11.1.3")
def test_every_use_is_in_the_inventory() -> None:
    text = (ROOT / "docs/security/cryptography.md").read_text()
    documented = set(re.findall(r"^\* `([\w/]+\.py)`", text, re.MULTILINE))

    used = {
        path.removeprefix("packages/").partition("/src/")[2] or path.removeprefix("project/")
        for path in found(uses_cryptography)
    }

    assert used == documented
    assert uses_cryptography("from hashlib import sha256") == {"hashlib"}


def _make_secrets(count: int) -> list[str]:
    return [new_secret("eas") for _number in range(count)]


@pytest.mark.asvs("11.5.2")
def test_processes_that_were_forked_make_different_secrets() -> None:
    with multiprocessing.get_context("spawn").Pool(4) as pool:
        made = pool.map(_make_secrets, [1000] * 4)

    assert len({secret for batch in made for secret in batch}) == 4000


@pytest.mark.asvs("6.1.1")
def test_the_documented_budgets_are_those_that_hold() -> None:
    text = (ROOT / "docs/security/limits.md").read_text()
    rows = re.findall(r"^\| `(\w+)` \| (\w+) \| (\d+) \| (\d+) min \|", text, re.MULTILINE)
    documented = {(use, what): (int(guesses), timedelta(minutes=int(minutes))) for use, what, guesses, minutes in rows}

    held = {
        (use, what): budget for use, budgets in CoreSettings.BUDGETS.default.items() for what, budget in budgets.items()
    }
    assert documented == held
