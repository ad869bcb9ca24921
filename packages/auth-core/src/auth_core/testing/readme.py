"""A new Django project with the code blocks of a README, to prove that they work from nothing."""

import os
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

#: What a README writes where people paste the output of ``manage.py new_key``.
KEY = "<printed by manage.py new_key>"

_FOLDER = "mysite"

#: The console backend for mails prints to ``sys.stdout``.
_PRINT_APART = """
import functools, sys, django
print = functools.partial(print, file=sys.stdout)
sys.stdout = sys.stderr
django.setup()
"""


def blocks(readme: Path, kind: str) -> list[str]:
    """Return the code blocks of *kind*, such as ``sh`` or ``python settings``, in order."""
    text = readme.read_text(encoding="utf-8")
    return re.findall(rf"^```{re.escape(kind)}\n(.*?)^```", text, re.DOTALL | re.MULTILINE)


class FreshSite:
    """A project from ``django-admin startproject`` in *folder*, on SQLite, with this Python.

    Args:
        environment: Variables of its processes, besides those of this process that do not concern Django.
    """

    def __init__(self, folder: Path, *, environment: Mapping[str, str] | None = None) -> None:
        self.folder = folder
        self.environment = {
            **{
                name: value
                for name, value in os.environ.items()
                if not name.startswith(("DJANGO_", "PYTHONPATH", "TEST_"))
            },
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "PYTHONWARNINGS": "error",
            **(environment or {}),
        }
        self.django("startproject", _FOLDER, ".")

    def run(self, *command: str, stdin: str = "", **environment: str) -> str:
        """Run *command* in the folder of the site and return its output.

        Raises:
            AssertionError: it failed. The message is its output.
        """
        done = subprocess.run(
            command,
            cwd=self.folder,
            env={**self.environment, "DJANGO_SETTINGS_MODULE": f"{_FOLDER}.settings", **environment},
            input=stdin,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def django(self, *arguments: str) -> str:
        """Run ``django-admin`` without settings."""
        return self.run(sys.executable, "-m", "django", *arguments, DJANGO_SETTINGS_MODULE="")

    def manage(self, *arguments: str, stdin: str = "") -> str:
        """Run ``manage.py``."""
        return self.run(sys.executable, "manage.py", *arguments, stdin=stdin)

    def sh(self, script: str, **environment: str) -> str:
        """Run a script of the shell. It stops at the first command that fails."""
        return self.run("sh", "-euc", script, **environment)

    def python(self, code: str) -> str:
        """Run *code* after ``django.setup()``. Return what it prints, without the mails that a thread prints meanwhile."""
        return self.run(sys.executable, "-c", _PRINT_APART + code)

    def append(self, name: str, text: str) -> None:
        """Add *text* to the end of ``settings.py`` or ``urls.py``."""
        path = self.folder / _FOLDER / name
        path.write_text(f"{path.read_text(encoding='utf-8')}\n{text}", encoding="utf-8")

    def follow(self, readme: Path, *, number: int = 0) -> None:
        """Add the settings and URLs of *readme*, and the key that the README says to make.

        Args:
            number: Which of several alternatives.
        """
        self.append("settings.py", blocks(readme, "python settings")[number])
        for block in blocks(readme, "python urls")[number : number + 1]:
            self.append("urls.py", block)
        path = self.folder / _FOLDER / "settings.py"
        path.write_text(path.read_text(encoding="utf-8").replace(KEY, self.manage("new_key").strip()), encoding="utf-8")
