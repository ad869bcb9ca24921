"""Memos keep, return, take and forget one value of an instance."""

import copy

from auth_core.memo import Memo
from auth_core.testing.factories import make_user

NUMBER: Memo[int] = Memo("tests.number")


class Kept:
    """Something with attributes."""


def test_reading_does_not_remove_the_value() -> None:
    instance = Kept()
    NUMBER.keep(instance, 7)

    assert (NUMBER.of(instance), NUMBER.of(instance)) == (7, 7)
    assert NUMBER.of(Kept()) is None


def test_taking_removes_the_value() -> None:
    instance = Kept()
    NUMBER.keep(instance, 7)

    assert (NUMBER.take(instance), NUMBER.take(instance), NUMBER.of(instance)) == (7, None, None)


def test_forgetting_is_possible_without_a_value() -> None:
    instance = Kept()
    NUMBER.forget(instance)
    NUMBER.keep(instance, 7)
    NUMBER.forget(instance)

    assert NUMBER.of(instance) is None


def test_a_copy_forgets_alone(db: None) -> None:
    user = make_user("copied@example.org")
    NUMBER.keep(user, 7)
    twin = copy.copy(user)

    assert NUMBER.take(twin) == 7
    assert NUMBER.of(user) == 7
