"""Which mutations are made. ``./dev mutants`` runs these tests, because only it installs mutmut."""

from textwrap import dedent

import pytest

from mutants.mutator import mutations_of, spread


def changes_of(source: str) -> set[tuple[str, str]]:
    return {(mutation.before, mutation.after) for mutation in mutations_of(f"{dedent(source)}\n")}


def test_a_check_is_left_out_and_turned_round() -> None:
    changes = changes_of(
        """
        def admit(user):
            if user.is_locked:
                raise Refused
            charge(user)
        """
    )

    assert changes == {
        ("if user.is_locked:", "if not (user.is_locked):"),
        ("raise Refused", "pass"),
        ("charge(user)", "pass"),
        ("charge(user)", "charge(None)"),
    }


@pytest.mark.parametrize(
    "source",
    [
        '"""A module."""',
        "import os",
        "from os import path as there",
        "def f(a: int | str) -> int | None: ...",
        'log.warning("Limit %d reached", 3)',
        'label = _("Sign in")',
        'field = TextField(help_text="In seconds.")',
        'verbose_name = "one"',
        'def f(a):\n    raise ValueError("no" + a)',
        'def f():\n    raise Refused("The key is missing.")',
        "@dataclass(frozen=True)\nclass A: ...",
        "class A(Manager['B']): ...",
        "if TYPE_CHECKING:\n    LIMIT = 3",
        "__all__ = ['f']",
    ],
)
def test_texts_and_types_are_not_mutated(source: str) -> None:
    left_out = {('raise ValueError("no" + a)', "pass"), ('raise Refused("The key is missing.")', "pass")}
    field = {('field = TextField(help_text="In seconds.")', "field = None")}

    assert changes_of(source) <= left_out | field


def test_a_mutation_names_its_place_and_contains_the_whole_module() -> None:
    source = (
        "LIMIT = 1\n\n\nclass Charge:\n    def refund(self):\n        # why\n        return LIMIT > 0\n\n\nEND = 2\n"
    )

    (mutation, *_others) = [found for found in mutations_of(source) if found.after == "return LIMIT >= 0"]

    assert (mutation.where, mutation.line, mutation.before) == ("Charge.refund", 7, "return LIMIT > 0")
    assert mutation.source == source.replace("LIMIT > 0", "LIMIT >= 0")


def test_every_line_has_its_turn_before_another_has_a_second_one() -> None:
    source = "".join(f"value_{number} = {number} + {number}\n" for number in range(30))
    mutations = mutations_of(source)

    chosen = spread(mutations, 30)

    assert len(mutations) > 60
    assert {mutation.line for mutation in chosen} == set(range(1, 31))
    assert chosen == spread(list(reversed(mutations)), 30)


def test_a_change_elsewhere_replaces_no_mutation_of_a_line() -> None:
    source = "".join(f"value_{number} = {number} + {number}\n" for number in range(30))

    before = {mutation.key for mutation in spread(mutations_of(source), 30)}
    after = {mutation.key for mutation in spread(mutations_of(f"first = 1 + 1\n{source}"), 31)}

    assert before < after
