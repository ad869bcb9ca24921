"""The code blocks of the README work in a new site from ``django-admin startproject``."""

import base64
import os
import re
import secrets
import subprocess
import sys
from pathlib import Path

import pytest

from auth_rbac.conf import RbacSettings

README = (Path(__file__).parents[1] / "README.md").read_text()


def blocks(kind: str) -> list[str]:
    return re.findall(rf"^```{kind}\n(.*?)^```", README, re.DOTALL | re.MULTILINE)


class Site:
    """A site from ``django-admin startproject``, with the blocks of the README."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith(("DJANGO_", "PYTHONPATH"))},
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "DJANGO_SETTINGS_MODULE": "mysite.settings",
        }
        for command in (["startproject", "mysite", "."], ["startapp", "shop"]):
            self.run(sys.executable, "-m", "django", *command, DJANGO_SETTINGS_MODULE="")
        (settings,), (urls,), (models,) = blocks("python settings"), blocks("python urls"), blocks("python models")
        key = base64.urlsafe_b64encode(secrets.token_bytes(32)).decode().rstrip("=")
        self._append("mysite/settings.py", settings.replace("<base64url of 32 random bytes>", key))
        self._append("mysite/urls.py", urls)
        (folder / "shop" / "models.py").write_text(models)
        self.run(sys.executable, "manage.py", "makemigrations", "shop")

    def run(self, *command: str, **environment: str) -> str:
        done = subprocess.run(
            command, cwd=self.folder, env={**self.environment, **environment}, capture_output=True, text=True, check=False
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def _append(self, name: str, text: str) -> None:
        path = self.folder / name
        path.write_text(f"{path.read_text()}\n{text}")


@pytest.mark.sqlite  # the site has a database of its own: once is enough
def test_every_block_works_in_a_fresh_site(tmp_path: Path) -> None:
    site = Site(tmp_path)
    migrate, report = blocks("sh")

    site.run("sh", "-euc", migrate)
    output = site.run(sys.executable, "-c", "import django\ndjango.setup()\n" + "\n".join(blocks("python use")))
    template = f"from django.template import engines\nengines['django'].from_string({blocks('html')[0]!r})"
    site.run(sys.executable, "-c", f"import django\ndjango.setup()\n{template}")
    site.run("sh", "-euc", report)

    assert "allows shop.order.* by Clerk in shop.branch:" in output
    written = (tmp_path / "access.csv").read_text()
    assert ",role,denies,shop.delete_order,Frozen,everywhere," in written
    assert ",superuser,allows,*," in written


def test_every_setting_is_in_the_readme() -> None:
    assert set(re.findall(r"^\| `([A-Z_]+)` \|", README, re.MULTILINE)) == set(RbacSettings.options)
