"""Operators that mutmut does not have: a step that is left out, and a condition that is turned round.

They are the defects that matter most here: a check that never runs, a charge that is not paid.
"""

from collections.abc import Callable, Iterator
from typing import Any

import libcst as cst

from mutants.noise import is_structure

#: Conditions that mutmut changes itself.
_CHANGED_BY_MUTMUT = (cst.Comparison, cst.BooleanOperation, cst.UnaryOperation)


def _leave_out_call(node: cst.Expr) -> Iterator[cst.CSTNode]:
    if isinstance(node.value, cst.Call):
        yield cst.Pass()


def _leave_out_raise(node: cst.Raise) -> Iterator[cst.CSTNode]:
    yield cst.Pass()


def _leave_out_decorator(node: cst.FunctionDef) -> Iterator[cst.CSTNode]:
    for decorator in node.decorators:
        if not is_structure(decorator):
            yield node.with_changes(decorators=[other for other in node.decorators if other is not decorator])


def _negate(node: cst.If | cst.CompIf) -> Iterator[cst.CSTNode]:
    if not isinstance(node.test, _CHANGED_BY_MUTMUT):
        condition = node.test.with_changes(lpar=[cst.LeftParen()], rpar=[cst.RightParen()])
        yield node.with_changes(test=cst.UnaryOperation(operator=cst.Not(), expression=condition))


#: Pairs of a type of node and a function that yields its replacements, as in mutmut.
OPERATORS: list[tuple[type, Callable[[Any], Iterator[cst.CSTNode]]]] = [
    (cst.Expr, _leave_out_call),
    (cst.Raise, _leave_out_raise),
    (cst.FunctionDef, _leave_out_decorator),
    (cst.If, _negate),
    (cst.CompIf, _negate),
]
