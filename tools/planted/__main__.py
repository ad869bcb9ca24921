"""``python -m planted [NAME …]``: plant each defect in a copy of the tree. Its test must fail.

A defect is caught if its tests pass without it and fail with it. A collection error, a time-out or a passing test does not
count. Of one test, one variant that fails is enough. Of a list of tests, all fail with all of their variants.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from chores import MEMBERS, ROOT
from planted.defects import Defect, load
from servers import real_servers

#: Maximum duration of one test, in seconds.
TIMEOUT = 300

#: Exit status of pytest if a test failed.
_FAILED = 1


def main(*prefixes: str) -> int:
    """Plant all defects, or those whose names start with one of *prefixes*. Return 1 if one is not caught."""
    defects = [defect for defect in load() if not prefixes or defect.name.startswith(prefixes)]
    if not defects:
        print(f"No planted defect has the name {', '.join(prefixes)}.")
        return 1
    missed = 0
    with real_servers() as servers, tempfile.TemporaryDirectory(prefix="planted-") as folder:
        copy = Path(folder)
        _copy_tree(copy)
        passed = set(_lists_passed(defects, copy, servers))
        for defect in defects:
            began = time.monotonic()
            keys = {(test, defect.database) for test in defect.tests}
            if not keys <= passed and _run(defect, copy, servers)[0] == 0:
                passed |= keys
            verdict = _caught_by(defect, copy, servers) if keys <= passed else "its test fails without it"
            is_caught = verdict.startswith("caught by")
            missed += not is_caught
            print(
                f"{'ok  ' if is_caught else 'MISS'} {defect.name}: {verdict} ({time.monotonic() - began:.0f} s)",
                flush=True,
            )
    print(f"{len(defects)} planted, {len(defects) - missed} caught")
    return 1 if missed else 0


def _lists_passed(defects: Sequence[Defect], copy: Path, servers: tuple[str, str] | None) -> Iterator[tuple[str, str]]:
    """Run the tests of all lists at once without a defect. Yield those of the folders in which all pass, with the database."""
    listed = [defect for defect in defects if defect.is_listed]
    for folder, database in sorted({(defect.folder, defect.database) for defect in listed}):
        same = [defect for defect in listed if (defect.folder, defect.database) == (folder, database)]
        tests = tuple(dict.fromkeys(test for defect in same for test in defect.tests))
        if _run(replace(same[0], tests=tests), copy, servers)[0] == 0:
            yield from ((test, database) for test in tests)


def _copy_tree(copy: Path) -> None:
    """Copy the tracked files and the untracked ones that git does not ignore."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    for name in listed.stdout.split("\0"):
        if name and (ROOT / name).is_file():
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, copy / name)


def _caught_by(defect: Defect, copy: Path, servers: tuple[str, str] | None) -> str:
    path = copy / defect.file
    original = path.read_text(encoding="utf-8")
    try:
        path.write_text(defect.planted_in(original), encoding="utf-8")
        status, printed = _run(defect, copy, servers)
    except ValueError as problem:
        return str(problem)
    finally:
        path.write_text(original, encoding="utf-8")
    failed = re.findall(r"(?m)^FAILED (\S+)", printed)
    if status != _FAILED or not failed:
        return f"NOT caught by {defect.tests[0]} (pytest ended with {status})"
    if defect.is_listed and (survived := re.findall(r"(?m)^PASSED (\S+)", printed)):
        return f"NOT caught by {', '.join(survived)}"
    others = f" and {len(failed) - 1} more" if len(failed) > 1 else ""
    return f"caught by {defect.folder}::{failed[0]}{others}"


def _run(defect: Defect, copy: Path, servers: tuple[str, str] | None) -> tuple[int, str]:
    """Run the tests of *defect* in the copy. Its packages take precedence over the installed ones."""
    database, redis = servers if servers and defect.database == "postgresql" else ("", "")
    sources = [str(copy / member / "src") for member in MEMBERS if (copy / member / "src").is_dir()]
    environment = {
        **os.environ, "PYTHONPATH": os.pathsep.join([*sources, str(copy / "project")]),
        "TEST_DATABASE_URL": database, "TEST_REDIS_URL": redis, "PYTHONDONTWRITEBYTECODE": "1",
    }  # fmt: skip
    extent = ["-rfp"] if defect.is_listed else ["-rf", "-x"]
    command = [sys.executable, "-m", "pytest", "-q", "--tb=short", *extent, *defect.options, *defect.nodes]
    try:
        done = subprocess.run(
            command, cwd=copy / defect.folder, env=environment, check=False, text=True, timeout=TIMEOUT,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return -1, ""
    return done.returncode, done.stdout


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
