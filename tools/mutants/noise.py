"""What is not mutated, because no test should depend on it."""

from collections.abc import Callable
from typing import Any

import libcst as cst

#: Calls for texts and types: translations, log lines, warnings and type variables.
_TEXT_CALLS = frozenset({
    "_", "gettext", "gettext_lazy", "gettext_noop", "ngettext", "ngettext_lazy", "pgettext", "pgettext_lazy",
    "getLogger", "TypeVar", "ParamSpec",
})  # fmt: skip
_LOG_METHODS = frozenset({"debug", "info", "warning", "error", "exception", "critical", "log"})
_LOGGERS = frozenset({"log", "logger", "_log", "_logger"})

#: Errors of Python. Their messages are for developers.
_PLAIN_ERRORS = frozenset({
    "ValueError", "TypeError", "RuntimeError", "LookupError", "KeyError", "NotImplementedError", "AssertionError",
    "AttributeError", "ImproperlyConfigured",
})  # fmt: skip

#: Arguments and attributes that only describe.
_DESCRIPTIONS = frozenset({"help_text", "verbose_name", "verbose_name_plural", "app_label", "__all__"})

#: Decorators that every use of the function needs, that only a type checker reads, or that only save time.
_STRUCTURE = frozenset({
    "property", "cached_property", "classmethod", "staticmethod", "contextmanager", "dataclass", "overload",
    "override", "abstractmethod", "setter", "wraps", "runtime_checkable", "final", "lru_cache", "cache",
})  # fmt: skip

#: A literal of so many words is a text for people.
_FEWEST_WORDS = 3

#: Functions that fail at once if their arguments are others.
_STRICT_CALLS = frozenset({"isinstance", "issubclass", "len", "super", "cast"})


def is_noise(node: cst.CSTNode, parent: cst.CSTNode | None) -> bool:
    """Return whether nothing in *node* is mutated."""
    return any(isinstance(node, kind) and rule(node, parent) for kind, rule in _NOISE)


def is_uninteresting(node: cst.CSTNode, replacement: cst.CSTNode) -> bool:
    """Return whether this replacement fails in every test that reaches it, or repeats another one."""
    if isinstance(node, cst.SimpleString) and isinstance(replacement, cst.SimpleString):
        return "XX" not in replacement.value  # two more only change the case of the letters
    if not isinstance(node, cst.Call) or not isinstance(replacement, cst.Call):
        return False
    if _name_of(node.func) in _STRICT_CALLS:
        return True
    kept = set(map(id, replacement.args))
    changed = [argument for argument in node.args if id(argument) not in kept]
    if any(_is_description(argument, node) or _is_sentence(argument.value) for argument in changed):
        return True
    if len(replacement.args) == len(node.args):
        return False
    # The default of an argument that is None is None, and without a positional argument the call fails.
    return any(argument.keyword is None or _name_of(argument.value) == "None" for argument in changed)


def is_blunt(replacement: cst.CSTNode) -> bool:
    """Return whether *replacement* puts ``None`` in the place of a value. Most tests that reach it fail."""
    values: list[cst.CSTNode | None] = []
    if isinstance(replacement, cst.Call):
        values = [argument.value for argument in replacement.args]
    if isinstance(replacement, cst.Assign | cst.AnnAssign):
        values = [replacement.value]
    return any(_name_of(value) == "None" for value in values)


def is_structure(decorator: cst.Decorator) -> bool:
    """Return whether the function cannot be used without *decorator*, or only a type checker reads it."""
    called = decorator.decorator
    return _name_of(called.func if isinstance(called, cst.Call) else called) in _STRUCTURE


def _is_text(node: cst.BaseExpression) -> bool:
    if not isinstance(node, cst.Call):
        return False
    name = _name_of(node.func)
    is_method_of_log = isinstance(node.func, cst.Attribute) and _name_of(node.func.value) in _LOGGERS
    return name in _TEXT_CALLS or (is_method_of_log and name in _LOG_METHODS)


def _is_message_only(error: cst.Call) -> bool:
    """Return whether *error* has no argument but a message for developers."""
    is_text = len(error.args) == 1 and error.args[0].keyword is None
    is_text = is_text and isinstance(
        error.args[0].value, cst.SimpleString | cst.FormattedString | cst.ConcatenatedString
    )
    return is_text or _name_of(error.func) in _PLAIN_ERRORS


def _is_description(node: cst.Arg, parent: cst.CSTNode | None) -> bool:
    """Return whether *node* describes a field, is a base class or the type of a cast."""
    if isinstance(parent, cst.ClassDef):
        return True
    is_type = isinstance(parent, cst.Call) and _name_of(parent.func) == "cast" and parent.args[0] is node
    return is_type or (node.keyword is not None and node.keyword.value in _DESCRIPTIONS)


def _is_sentence(node: cst.BaseExpression) -> bool:
    """Return whether *node* is a text for people: words and no statement of SQL."""
    if not isinstance(node, cst.SimpleString):
        return False
    words = node.value.split()
    return len(words) >= _FEWEST_WORDS and not any(word.isupper() and len(word) > 1 for word in words)


def _name_of(node: cst.CSTNode | None) -> str:
    """Return the last word of a dotted name, or an empty string."""
    if isinstance(node, cst.Attribute):
        return str(node.attr.value)
    return str(node.value) if isinstance(node, cst.Name) else ""


def _is_import_or_type(node: cst.CSTNode, parent: cst.CSTNode | None) -> bool:
    return True


def _is_docstring_or_log(node: cst.Expr, parent: cst.CSTNode | None) -> bool:
    return isinstance(node.value, cst.BaseString | cst.Ellipsis) or _is_text(node.value)


def _is_for_type_checkers(node: cst.If, parent: cst.CSTNode | None) -> bool:
    return _name_of(node.test) == "TYPE_CHECKING"


def _is_structural(node: cst.Decorator, parent: cst.CSTNode | None) -> bool:
    return is_structure(node)


def _is_text_or_message(node: cst.Call, parent: cst.CSTNode | None) -> bool:
    return _is_text(node) or (isinstance(parent, cst.Raise) and _is_message_only(node))


def _is_literal_sentence(node: cst.SimpleString, parent: cst.CSTNode | None) -> bool:
    return _is_sentence(node)


def _is_describing(node: cst.Assign, parent: cst.CSTNode | None) -> bool:
    return _name_of(node.targets[0].target) in _DESCRIPTIONS or _is_text(node.value)


#: The rules: a type of node, and whether one of this type with its parent is noise.
_NOISE: list[tuple[type | tuple[type, ...], Callable[[Any, cst.CSTNode | None], bool]]] = [
    ((cst.Annotation, cst.Import, cst.ImportFrom, cst.Assert), _is_import_or_type),
    (cst.Expr, _is_docstring_or_log),
    (cst.If, _is_for_type_checkers),
    (cst.Decorator, _is_structural),
    (cst.Call, _is_text_or_message),
    (cst.Arg, _is_description),
    (cst.SimpleString, _is_literal_sentence),
    (cst.Assign, _is_describing),
]
