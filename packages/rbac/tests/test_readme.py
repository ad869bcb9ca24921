"""The code blocks of the README work in a new site from ``django-admin startproject``."""

import re
import sys
from pathlib import Path

import pytest

from auth_core.testing.readme import FreshSite, blocks
from auth_rbac.conf import RbacSettings

README = Path(__file__).parents[1] / "README.md"


@pytest.mark.sqlite  # the site has a database of its own: once is enough
def test_every_block_works_in_a_fresh_site(tmp_path: Path) -> None:
    site = FreshSite(tmp_path)
    site.django("startapp", "shop")
    (tmp_path / "shop" / "models.py").write_text(blocks(README, "python models")[0])
    site.follow(README)
    site.run(sys.executable, "manage.py", "makemigrations", "shop")
    migrate, report = blocks(README, "sh")

    site.sh(migrate)
    output = site.python("\n".join(blocks(README, "python use")))
    (template,) = blocks(README, "html")
    site.python(f"from django.template import engines\nengines['django'].from_string({template!r})")
    site.sh(report)

    assert "allows shop.order.* by Clerk in shop.branch:" in output
    written = (tmp_path / "access.csv").read_text()
    assert ",role,denies,shop.delete_order,Frozen,everywhere," in written
    assert ",superuser,allows,*," in written


def test_every_setting_is_in_the_readme() -> None:
    documented = re.findall(r"^\| `([A-Z_]+)` \|", README.read_text(encoding="utf-8"), re.MULTILINE)

    assert set(documented) == set(RbacSettings.options)
