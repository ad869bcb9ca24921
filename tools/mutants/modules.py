"""The modules under mutation tests, and the tests that must kill their mutations."""

import hashlib
import json
import tomllib
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

#: The list of the modules.
LIST = Path(__file__).with_name("modules.toml")

#: Mutations of one module, if it does not name another number. A smaller module has all of its mutations.
MUTATIONS = 30

#: The folder of each import package.
_FOLDERS = {
    "auth_core": "packages/auth-core",
    "auth_mfa": "packages/mfa",
    "auth_rbac": "packages/rbac",
    "auth_sessions": "packages/sessions",
    "auth_audit": "packages/audit-logging",
}


@dataclass(frozen=True)
class Module:
    """One module under mutation tests.

    Args:
        name: Its path without the suffix, from the import package: ``auth_core/limits``.
        tests: Files in the ``tests`` folder of its package. Each mutation must make one of their tests fail.
        database: ``sqlite`` or ``postgresql``.
        mutations: How many of its mutations are made. They are spread over its lines.
        root: The folder of the repository.
    """

    name: str
    tests: tuple[str, ...]
    database: str = "sqlite"
    mutations: int = MUTATIONS
    root: Path = ROOT

    @property
    def folder(self) -> Path:
        """Return the folder of its package, where pytest runs."""
        package = self.name.partition("/")[0]
        return self.root / _FOLDERS.get(package, ".")

    @property
    def path(self) -> Path:
        """Return the path of its source."""
        return self.folder / "src" / f"{self.name}.py"

    @property
    def import_name(self) -> str:
        """Return the name under which it is imported."""
        return self.name.replace("/", ".")

    @property
    def test_paths(self) -> list[str]:
        """Return the paths of its tests, from its package."""
        return [f"tests/{name}" for name in self.tests]

    def source(self) -> str:
        """Return its source."""
        return self.path.read_text(encoding="utf-8")

    def digest(self) -> str:
        """Return a digest of its source and of its row in the list. It changes when the module must be tested again."""
        row = json.dumps([sorted(self.tests), self.database, self.mutations])
        return hashlib.sha256(f"{self.source()}\n{row}".encode()).hexdigest()[:16]


def load(path: Path = LIST) -> list[Module]:
    """Return the modules in the order of the list.

    Raises:
        ValueError: a module is listed twice.
    """
    rows = tomllib.loads(path.read_text(encoding="utf-8"))["module"]
    modules = [Module(**{**row, "tests": tuple(row["tests"])}) for row in rows]
    names = [module.name for module in modules]
    if duplicates := sorted({name for name in names if names.count(name) > 1}):
        raise ValueError(f"Listed twice: {', '.join(duplicates)}.")
    return modules
