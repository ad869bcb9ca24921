"""The visits in `guests` pass with every user model. Each model needs a process, because Django reads it once."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

TESTS = Path(__file__).parent

#: Each user model, with the number of visits that make sense for it at least.
MODELS = {"auth.User": 60, "by_email.Member": 50, "by_phone.Caller": 25, "by_handle.Player": 20, "club.Fellow": 50}


#: The models that are visited on SQLite alone. The others have the same kinds of columns.
ON_SQLITE = {"by_handle.Player", "club.Fellow"}


@pytest.mark.parametrize(
    ("model", "least"),
    [
        pytest.param(model, least, id=model, marks=[pytest.mark.sqlite] if model in ON_SQLITE else [])
        for model, least in MODELS.items()
    ],
)
def test_people_who_were_there_before_can_do_everything(model: str, least: int) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-o", "python_files=visit_*.py", "guests"],
        cwd=TESTS,
        env={**os.environ, "DJANGO_SETTINGS_MODULE": "guests.settings", "GUEST_USERS": model},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
    closing = re.search(r"(\d+) passed", done.stdout)
    assert closing is not None
    assert int(closing[1]) >= least
    assert "skipped" not in done.stdout
