"""What the package index shows of each package."""

import re
import tomllib
from importlib.metadata import requires
from pathlib import Path
from typing import Any

import pytest

PACKAGES = sorted(Path(__file__).parents[2].glob("packages/*"))


def project_of(package: Path) -> dict[str, Any]:
    project: dict[str, Any] = tomllib.loads((package / "pyproject.toml").read_text())["project"]
    return project


@pytest.mark.parametrize("package", PACKAGES, ids=lambda path: path.name)
def test_the_page_names_the_package_and_leads_to_its_documents(package: Path) -> None:
    project = project_of(package)

    assert set(project["urls"]) >= {"Homepage", "Documentation", "Changelog", "Issues"}
    for name, file in (("Documentation", "README.md"), ("Changelog", "CHANGELOG.md")):
        assert project["urls"][name].endswith(f"/packages/{package.name}/{file}")
        assert (package / file).is_file()
    assert project["authors"]
    assert "django" in project["keywords"]
    assert "Django" in project["description"]


def test_redis_is_allowed_up_to_the_version_that_celery_allows() -> None:
    (ours,) = project_of(PACKAGES[0].with_name("auth-core"))["optional-dependencies"]["redis"]
    (theirs,) = [text for text in requires("kombu") or [] if text.startswith("redis")]

    below = re.compile(r"<(\d+)")
    assert below.findall(ours) == below.findall(theirs)
