"""The results of the cells, kept between runs, and the table of them in the documentation."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from guests.environments import PYTHONS
from guests.packages import ADDITIONS, ROOT, VAR
from guests.probes import Result
from guests.sites import KINDS

PAGE = ROOT / "docs/guests.md"

#: Package, site and line of Django.
Cell = tuple[str, str, str]

_TITLES = {
    "core": "auth-core",
    "mfa": "mfa",
    "rbac": "rbac",
    "sessions": "sessions",
    "audit": "audit-logging",
    "all": "all five",
}

_SITES = {
    "stock": "Django's `User`",
    "postgresql": "the same on PostgreSQL",
    "email": "e-mail address as username, UUID keys",
    "phone": "telephone number as username, text keys, no e-mail address",
    "wagtail": "Wagtail",
    "jwt": "REST framework with SimpleJWT",
    "allauth": "django-allauth",
}

_HEAD = """# In other sites

Each package is built as a wheel and added, as its README says, to a site that existed before: with people, with rows of
its own, and with a browser that is signed in. Afterwards the site does what it did before. Its own pages, `force_login`, the
admin, `createsuperuser`, its own tests (also in parallel, with `--keepdb` and by pytest-django), several databases, Django's
session engines, the deletion of people and the removal of the package are probed.
[planted.toml](../project/tests/guests/planted.toml) lists the probes, with the defect for which each of them was seen red.
`./dev guests --planted` plants these defects again.

The table has the number of green probes. `./dev guests --all --write` writes it, and with `--resume` it goes on where it
was stopped. An empty cell was not visited yet. CI visits a diagonal (`./dev guests`).
"""


@dataclass(frozen=True)
class Visit:
    """One cell of the table, and what its probes found."""

    package: str
    site: str
    line: str
    results: tuple[Result, ...]
    seconds: float

    @property
    def cell(self) -> Cell:
        """Where it was."""
        return self.package, self.site, self.line

    @property
    def red(self) -> list[Result]:
        """The failed probes."""
        return [one for one in self.results if one.problem]

    @property
    def summary(self) -> str:
        """The text in the table."""
        green = len(self.results) - len(self.red)
        return f"{green} green" if not self.red else f"{green} green, {len(self.red)} RED"


def every_cell() -> list[Cell]:
    """Return all cells. Those that share a site follow each other."""
    return [(package, site, line) for site in KINDS for line in PYTHONS for package in ADDITIONS]


def _file_of(cell: Cell) -> Path:
    return VAR / "results" / f"{'-'.join(cell)}.json"


def store(visit: Visit) -> None:
    """Keep *visit* until the next visit of its cell."""
    path = _file_of(visit.cell)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(asdict(visit), indent=1))


def stored(cells: Iterable[Cell]) -> dict[Cell, Visit]:
    """Return the last visit of each of *cells* that was visited."""
    visits = [json.loads(path.read_text()) for path in map(_file_of, cells) if path.exists()]
    made = [Visit(**{**one, "results": tuple(Result(**each) for each in one["results"])}) for one in visits]
    return {one.cell: one for one in made}


def table(visits: Mapping[Cell, Visit]) -> str:
    """Return a table of the cells: a row for each site and line of Django, a column for each package."""
    packages = [name for name in ADDITIONS if any(cell[0] == name for cell in visits)]
    rows = [
        "| site | Django |" + "".join(f" {_TITLES[name]} |" for name in packages),
        "| --- | --- |" + " --- |" * len(packages),
    ]
    for site in KINDS:
        for line in PYTHONS:
            row = [visits.get((package, site, line)) for package in packages]
            if any(row):
                cells = "".join(f" {one.summary if one else ''} |" for one in row)
                rows.append(f"| {_SITES[site]} | {line} |{cells}")
    return "\n".join(rows)


def write_page(visits: Mapping[Cell, Visit]) -> None:
    """Write the table into the documentation."""
    PAGE.write_text(f"{_HEAD}\n{table(visits)}\n")
