"""The chores as nox sessions: ``nox -s test`` is ``./dev test``."""

import sys
from pathlib import Path

import nox

sys.path.insert(0, str(Path(__file__).parent / "tools"))

from chores import CHORES

nox.options.sessions = ["check", "test"]

for _chore in ("serve", "demo", *CHORES):

    @nox.session(name=_chore, python=False)
    def _run(session: nox.Session, chore: str = _chore) -> None:
        session.run("./dev", chore, *session.posargs, external=True)
