"""The lint of rooms and of prose finds what it is for."""

from pathlib import Path

import pytest

from house_lint.prose import figures_of
from house_lint.rooms import MOST_IN_A_ROOT, misplaced, participles, small_modules

ROOT = Path("packages/sample/src/auth_sample")


def messages(*names: str) -> list[str]:
    return [f"{path.name}: {message}" for path, message in misplaced(ROOT, [ROOT / name for name in names])]


def test_known_names_and_rooms_are_accepted() -> None:
    assert (
        messages("__init__.py", "apps.py", "models/user.py", "seal/__init__.py", "seal/tree.py", "seal/keys.py") == []
    )


def test_an_unknown_module_in_the_root_is_found() -> None:
    assert messages("apps.py", "wire.py") == [
        "wire.py: Move it into a room, or list it in house_lint.rooms.IN_THE_ROOT with a reason."
    ]


@pytest.mark.parametrize("count", [1, 12])
def test_a_room_that_is_too_small_or_too_large_is_found(count: int) -> None:
    (message,) = messages(*(f"seal/part_{number}.py" for number in range(count)))

    assert message == f"seal: A room has 2 to 11 modules. This one has {count}."


def test_a_root_with_too_many_modules_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    names = [f"part_{number}.py" for number in range(MOST_IN_A_ROOT + 1)]
    monkeypatch.setattr(
        "house_lint.rooms.IN_THE_ROOT", {"auth_sample": {name.removesuffix(".py"): "For the test." for name in names}}
    )

    assert messages(*names) == ["auth_sample: The root has 31 modules. At most 30 are allowed."]


def test_a_listed_module_that_is_gone_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("house_lint.rooms.IN_THE_ROOT", {"auth_sample": {"wire": "For the test."}})

    assert messages("apps.py") == ["wire.py: It is listed in house_lint.rooms.IN_THE_ROOT, and is not there."]


@pytest.mark.parametrize(("name", "is_found"), [("telling.py", True), ("declared.py", True), ("testing.py", False)])
def test_a_module_named_by_a_participle_is_found(name: str, is_found: bool) -> None:
    assert bool(list(participles([ROOT / name]))) is is_found


@pytest.fixture
def none_listed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("house_lint.rooms.WITH_ONE_IMPORTER", {})


def small(*imports: str) -> list[str]:
    """Return the findings for a module of one function, which *imports* import."""
    sources = {ROOT / "seal/tree.py": "def leaf() -> None: ...\n"}
    sources |= {ROOT / f"seal/importer_{number}.py": text + "\n" * 50 for number, text in enumerate(imports)}
    return [f"{path.name}: {message}" for path, message in small_modules(sources)]


@pytest.mark.parametrize(
    "statement",
    [
        "from auth_sample.seal.tree import leaf",
        "from auth_sample.seal import tree",
        "import auth_sample.seal.tree",
        "def ready():\n    from auth_sample.seal import tree",
    ],
)
def test_a_small_module_with_one_importer_is_found(statement: str, none_listed: None) -> None:
    assert small(statement) == [
        "tree.py: It has fewer than 40 lines, and only auth_sample.seal.importer_0 imports it. Move it there, or list "
        "it in house_lint.rooms.WITH_ONE_IMPORTER with a reason."
    ]


def test_a_small_module_that_several_import_or_a_setting_names_is_accepted(none_listed: None) -> None:
    assert small(*["from auth_sample.seal import tree"] * 2) == []
    assert small() == []


@pytest.mark.parametrize("name", ["apps.py", "api/urls.py", "models/row.py", "testing/rows.py", "seal/__init__.py"])
def test_a_small_module_that_a_framework_looks_for_is_accepted(name: str, none_listed: None) -> None:
    dotted = f"auth_sample.{name.removesuffix('.py').replace('/', '.')}".removesuffix(".__init__")

    assert list(small_modules({ROOT / name: "", ROOT / "seal/tree.py": f"import {dotted}\n" + "\n" * 50})) == []


def test_a_listed_module_is_accepted_until_it_needs_no_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("house_lint.rooms.WITH_ONE_IMPORTER", {"auth_sample.seal.tree": "For the test."})

    assert small("from auth_sample.seal import tree") == []
    assert small() == ["tree.py: It is listed in house_lint.rooms.WITH_ONE_IMPORTER, and need not be."]


def test_prose_is_counted_in_docstrings_and_comments_only() -> None:
    figures = figures_of('"""Whoever asks; nobody answers."""\n\nword = "whatever; told"  # noqa: E501\n# One more.\n')

    assert (figures.words, figures.odd_words, figures.semicolons) == (6, 2, 1)
    assert not figures.is_plain


def test_plain_prose_is_accepted() -> None:
    assert figures_of('"""Return the number of sessions."""\n').is_plain
