"""The map of the source, and the generated pages."""

import sys
from datetime import timedelta
from pathlib import Path

import pytest

from architecture.page import BEGIN, END, journeys, missing_files, with_picture
from architecture.picture import draw
from chores import ROOT
from generated_files import write_or_check
from reference.settings import text_of

PAGE = f"""# Map

{BEGIN}
old
{END}

### Login

1. `app/views.py`: The view.
2. `app/login.py`: The function.

### Words

No list.
"""


def test_the_picture_replaces_the_old_one() -> None:
    page = with_picture(PAGE, "flowchart TD\n")

    assert "old" not in page
    assert "```mermaid\nflowchart TD\n```" in page
    assert with_picture(page, "flowchart TD\n") == page


def test_a_page_without_marks_is_refused() -> None:
    with pytest.raises(ValueError, match="end of the picture"):
        with_picture("# Map\n", "flowchart TD\n")


def test_a_journey_is_the_list_of_its_files() -> None:
    assert journeys(PAGE) == {"Login": ["app/views.py", "app/login.py"]}


def test_a_file_of_a_journey_that_is_missing_is_found(tmp_path: Path) -> None:
    (tmp_path / "app").mkdir()
    (tmp_path / "app/views.py").touch()

    assert list(missing_files(PAGE, tmp_path)) == ["Login: app/login.py is not there."]


def test_the_picture_shows_rooms_and_leaves_out_implied_arrows() -> None:
    picture = draw(["auth_core"])

    assert "auth_core.flows --> auth_core.passwords" in picture
    assert "auth_core.crypto[crypto]" in picture
    # flows imports people through messages as well.
    assert "auth_core.flows --> auth_core.people" not in picture


@pytest.mark.parametrize("page", ["architecture.md", "reference/settings.md"])
def test_a_stale_page_is_found(page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["x", "--check"])
    text = (ROOT / "docs" / page).read_text()
    copy = tmp_path / "page.md"

    copy.write_text(text)
    assert write_or_check(copy, text) == 0
    copy.write_text(text + "\n")
    assert write_or_check(copy, text) == 1
    assert write_or_check(tmp_path / "missing.md", text) == 1


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (timedelta(days=7), "7 days"),
        (timedelta(hours=1), "1 hour"),
        (timedelta(milliseconds=100), "0.1 seconds"),
        (timedelta(0), "0 seconds"),
        ((), "()"),
        (("a",), "('a',)"),
        ({"a": (3, timedelta(minutes=15))}, "{'a': (3, 15 minutes)}"),
        (frozenset({"b", "a"}), "{'a', 'b'}"),
    ],
)
def test_a_default_is_shown_with_its_unit(value: object, text: str) -> None:
    assert text_of(value) == text
