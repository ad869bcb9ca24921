"""``python -m mutants.process JOB``: run the tests of one module for each of its mutations.

It imports what takes long and belongs to others: pytest, Django, cryptography. Then it forks a child for the mutations
inside functions (`mutants.batch`), and one for each mutation that needs a new import.
"""

import os
import sys
from contextlib import suppress
from importlib import import_module
from pathlib import Path

import pytest

from mutants.children import KILLED, SURVIVED, UNDECIDED, verdict_of
from mutants.job import Answer, Job, Verdict
from mutants.mutated_import import install

#: What takes long to import. None of it reads settings, and none of it belongs to the packages under test.
_IMPORTED_BEFORE = (
    "django.db.models", "django.test.client", "django.test.testcases", "django.contrib.postgres.fields",
    "django.core.management", "django.db.backends.sqlite3.base", "django.template.defaulttags", "django.views.generic",
    "rest_framework.fields", "rest_framework.compat", "rest_framework.request", "rest_framework.exceptions",
    "argon2", "cryptography.x509", "cryptography.hazmat.primitives.ciphers.aead", "idna", "psycopg",
    "cryptography.hazmat.primitives.asymmetric.ec", "redis", "requests",
)  # fmt: skip

#: Processor seconds of a new process beyond ten times those of the first run of the tests.
_MARGIN = 60

#: Exit statuses of pytest that mean a failed test, or a mutated module that cannot be imported.
_FAILURES = frozenset({1, 2, 3, 4})


def main(path: str) -> int:
    """Complete the answer to the job in the file *path*. Return 1 if there can be none."""
    job = Job.load(Path(path))
    os.environ["MUTANTS_JOB"] = path
    for name in _IMPORTED_BEFORE:
        with suppress(ImportError):
            import_module(name)
    if _status_of_batch(job) != 0:
        return 1
    answer = Answer.load(job.answer_path)
    undecided = [index for index, verdict in enumerate(answer.verdicts) if verdict is Verdict.UNDECIDED]
    original = Path(job.path).read_text(encoding="utf-8")
    if undecided and _verdict_of(job, original, answer, "--first", "10") is not Verdict.SURVIVED:
        print("The tests fail in a new process without a mutation.", file=sys.stderr)
        return 1
    for index in undecided:
        answer.verdicts[index] = _verdict_of(job, job.mutated[index], answer)
    answer.save(job.answer_path)
    return 0


def _status_of_batch(job: Job) -> int:
    child = os.fork()
    if child == 0:
        os._exit(pytest.main(["-q", "-p", "mutants.batch", *job.tests]))
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def _verdict_of(job: Job, source: str, answer: Answer, *options: str) -> Verdict:
    """Run the tests in a new process that imports *source* as the module."""

    def run() -> int:
        install(job.import_name, job.path, source)
        try:
            status = pytest.main(["-q", "-x", "-p", "mutants.new_process", *options, *job.tests])
        except Exception:  # noqa: BLE001 - Django cannot import the mutated module, with any exception
            return KILLED
        return {0: SURVIVED, **dict.fromkeys(_FAILURES, KILLED)}.get(int(status), UNDECIDED)

    return verdict_of(run, processor_seconds=_MARGIN + 10 * sum(answer.seconds.values()))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
