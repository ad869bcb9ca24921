"""The harness of ``./dev guests`` sees a test that failed, one that was skipped, and a run that ended early."""

import pytest

from guests.__main__ import DIAGONAL
from guests.defects import Defect, defects
from guests.environments import PYTHONS
from guests.packages import ADDITIONS
from guests.probes import PROBES, Result, names_in, outcomes_in
from guests.results import Visit, table
from guests.sites import KINDS
from guests.sites import PROBES as IN_SITE

LINE = "=" * 70

OUTPUT = f"""
test_a_login (visits.tests.test_people.People.test_a_login) ... auth.login.failed failure unknown
ok
test_a_deletion (visits.tests.test_people.People.test_a_deletion) ... FAIL
test_a_skip (visits.tests.test_people.People.test_a_skip) ... skipped 'not here'

{LINE}
FAIL: test_a_deletion (visits.tests.test_people.People.test_a_deletion)
{"-" * 70}
Traceback (most recent call last):
AssertionError: 403 != 302

{"-" * 70}
Ran 3 tests in 0.1s

FAILED (failures=1, skipped=1)
"""


def test_a_failed_test_is_red_and_a_skipped_one_has_no_outcome() -> None:
    outcomes = outcomes_in(OUTPUT)

    assert set(outcomes) == {"test_a_login", "test_a_deletion"}
    assert outcomes["test_a_login"] == ""
    assert outcomes["test_a_deletion"].endswith("AssertionError: 403 != 302")


def test_a_run_that_ended_early_has_no_outcomes() -> None:
    assert outcomes_in(OUTPUT.partition(LINE)[0]) == {}


def test_the_diagonal_visits_every_addition_every_site_and_every_line_of_django() -> None:
    additions, sites, lines = (set(column) for column in zip(*DIAGONAL, strict=True))

    assert additions == set(ADDITIONS)
    assert sites == set(KINDS)
    assert lines == set(PYTHONS)


def test_every_probe_says_what_it_proves() -> None:
    assert [name for name, probe in PROBES.items() if not probe.__doc__] == []


def test_the_table_has_a_title_for_each_package_and_site() -> None:
    """A missing title is a KeyError."""
    visits = {
        (package, site, "5.2"): Visit(package, site, "5.2", (Result("check"), Result("uninstall", "left")), 1.0)
        for package in ADDITIONS
        for site in KINDS
    }

    rows = table(visits).splitlines()

    assert len(rows) == 2 + len(KINDS)
    assert all(row.count("1 green, 1 RED") == len(ADDITIONS) for row in rows[2:])


def test_each_probe_has_a_planted_defect() -> None:
    probes = [*PROBES, *(name for path in sorted(IN_SITE.glob("*_probes.py")) for name in names_in(path))]
    planted = [name for defect in defects() for name in defect.probes]

    assert sorted(planted) == sorted(probes)


@pytest.mark.parametrize("defect", defects(), ids=lambda one: one.what)
def test_each_defect_changes_the_source_as_it_is_now(defect: Defect) -> None:
    text = defect.source.read_text(encoding="utf-8") if defect.before else ""

    assert defect.planted_in(text) != text
    assert defect.cell[0] in ADDITIONS
    assert defect.cell[1] in KINDS
