"""Rules for cryptography in the source. Each rule detects its planted defect."""

import ast
import base64
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from auth_core.conf import CoreSettings
from auth_core.crypto.encryption import encrypt
from auth_core.crypto.secrets import new_secret

ROOT = Path(__file__).resolve().parents[2]
SOURCES = [
    path
    for pattern in ("packages/*/src/**/*.py", "project/enterprise_auth/**/*.py")
    for path in ROOT.glob(pattern)
    if "migrations" not in path.parts
]

#: Files with random numbers for jitter, which protect nothing.
JITTER = ("auth_core/messages/outbox.py", "auth_sessions/revocation/snapshots.py")

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
    """Return the names of broken hashes, modes and paddings."""
    bad = re.compile(r"(?i)^(md[245]|sha1|ecb|cbc|rc4|arc4|tripledes|des|blowfish|pkcs1v15)$")
    return {name for name in names(text) if bad.match(name)}


def foreign_libraries(text: str) -> set[str]:
    """Return cryptographic libraries other than OpenSSL's and argon2's."""
    return FORBIDDEN_LIBRARIES.intersection(names(text))


def weak_random(text: str) -> set[str]:
    """Return uses of a predictable generator."""
    tree = ast.parse(text)
    imported = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    imported |= {str(node.module) for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    return imported & {"random", "django.utils.crypto.get_random_string"}


def naive_comparisons(text: str) -> set[str]:
    """Return the secrets that are compared with ``==``, which leaks where they differ. Passwords are hashed, not compared."""
    secret = re.compile(r"(^|_)(digest|mac|signature|hash|secret|credential)$")
    compared = [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Compare)]
    equal = [node for node in compared if isinstance(node.ops[0], ast.Eq | ast.NotEq)]
    sides = [(side, node) for node in equal for side in (node.left, *node.comparators)]
    compared_names = {getattr(side, "attr", getattr(side, "id", "")) for side, node in sides if not _has_constant(node)}
    return {name for name in compared_names if secret.search(name)}


def _has_constant(node: ast.Compare) -> bool:
    return any(isinstance(side, ast.Constant) for side in (node.left, *node.comparators))


def violations(rule: Callable[[str], set[str]]) -> dict[str, set[str]]:
    return {str(path.relative_to(ROOT)): bad for path in SOURCES if (bad := rule(path.read_text()))}


@pytest.mark.asvs("11.3.1")
@pytest.mark.asvs("11.3.5")
@pytest.mark.asvs("11.4.1")
@pytest.mark.asvs("11.4.3")
def test_no_broken_primitive_is_used() -> None:
    # Redis names scripts by SHA-1. Nothing depends on its strength.
    assert violations(broken_primitives) == {"packages/auth-core/src/auth_core/runtime/redis_connection.py": {"sha1"}}
    assert broken_primitives("hashlib.md5(x)") == {"md5"}
    assert broken_primitives("from x.modes import ECB") == {"ECB"}


@pytest.mark.asvs("11.2.1")
@pytest.mark.asvs("11.6.1")
def test_only_validated_libraries_are_used() -> None:
    assert violations(foreign_libraries) == {}
    assert foreign_libraries("import nacl.secret") == {"nacl"}


@pytest.mark.asvs("11.5.1")
def test_secrets_come_only_from_the_systems_generator() -> None:
    assert {path for path in violations(weak_random) if not path.endswith(JITTER)} == set()
    assert weak_random("import random") == {"random"}


@pytest.mark.asvs("11.2.4")
def test_secrets_are_compared_in_constant_time() -> None:
    assert violations(naive_comparisons) == {}
    assert naive_comparisons("entry.mac == made") == {"mac"}
    assert naive_comparisons("hmac.compare_digest(entry.mac, made)") == set()


def uses_cryptography(text: str) -> set[str]:
    """Return the cryptographic imports of a file."""
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
        for path in violations(uses_cryptography)
    }

    assert used == documented
    assert uses_cryptography("from hashlib import sha256") == {"hashlib"}


#: Generates one secret, forks like a server, and generates more in each process.
PREFORK = """
import os, sys
from auth_core.crypto.secrets import new_secret
made = {make}
made()
for _worker in range(4):
    if os.fork() == 0:
        for _number in range(1000):
            os.write(1, made().encode() + b"\\n")
        os._exit(0)
for _worker in range(4):
    os.wait()
"""
PLANTED = "(lambda generator: lambda: str(generator.random()))(__import__('random').Random(7))"


def made_by_four_workers(make: str) -> list[str]:
    done = subprocess.run([sys.executable, "-c", PREFORK.format(make=make)], capture_output=True, text=True, check=True)
    return done.stdout.split()


@pytest.mark.asvs("11.5.2")
def test_forked_workers_generate_different_secrets() -> None:
    made = made_by_four_workers("lambda: new_secret('eas')")

    assert (len(made), len(set(made))) == (4000, 4000)
    assert len(set(made_by_four_workers(PLANTED))) == 1000, "a generator copied by the fork is detected"


@pytest.mark.asvs("7.2.3")
def test_a_million_secrets_are_unique_and_have_43_letters() -> None:
    made = {new_secret("eas") for _number in range(1_000_000)}

    assert len(made) == 1_000_000
    assert {len(secret) for secret in made} == {len("eas_") + 43}


def ciphers(text: str) -> set[str]:
    """Return the imported ciphers of the library."""
    nodes = [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.ImportFrom)]
    return {alias.name for node in nodes if "primitives.ciphers" in str(node.module) for alias in node.names}


@pytest.mark.asvs("11.3.2")
def test_aes_gcm_with_256_bits_is_the_only_cipher(settings: Any) -> None:
    key = os.urandom(32)
    settings.AUTH_CORE = {**settings.AUTH_CORE, "FIELD_KEYS": {"k": base64.urlsafe_b64encode(key).decode().rstrip("=")}}
    version, key_id, sealed = encrypt("purpose", b"a seed", context="row 1").split(".")
    raw = base64.urlsafe_b64decode(sealed + "=" * (-len(sealed) % 4))

    assert (version, key_id) == ("v1", "k")
    assert len(raw) == 12 + len(b"a seed") + 16, "a nonce of 96 bits and a tag of 128"
    assert set().union(*violations(ciphers).values()) == {"AESGCM"}
    assert ciphers("from cryptography.hazmat.primitives.ciphers import modes") == {"modes"}


@pytest.mark.asvs("6.1.1")
def test_the_documented_budgets_equal_the_defaults() -> None:
    text = (ROOT / "docs/security/limits.md").read_text()
    rows = re.findall(r"^\| `(\w+)` \| (\w+) \| (\d+) \| (\d+) min \|", text, re.MULTILINE)
    documented = {(use, what): (int(guesses), timedelta(minutes=int(minutes))) for use, what, guesses, minutes in rows}

    defaults = {
        (use, what): budget for use, budgets in CoreSettings.BUDGETS.default.items() for what, budget in budgets.items()
    }
    assert documented == defaults
