"""The chores as nox sessions: ``nox -s test`` is ``./dev test``."""

import nox

nox.options.sessions = ["check", "test"]

for _chore in (
    "serve",
    "test",
    "check",
    "fix",
    "planted",
    "proofs",
    "gate",
    "matrix",
    "races",
    "timing",
    "scale",
    "lock",
):

    @nox.session(name=_chore, python=False)
    def _run(session: nox.Session, chore: str = _chore) -> None:
        session.run("./dev", chore, *session.posargs, external=True)
