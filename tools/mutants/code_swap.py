"""A mutation inside functions, put into the functions of the running process.

A process that has loaded Django and its tests needs no import for such a mutation: each living function of the module
gets the changed code. A mutation of what runs at import, such as a constant or a default value, needs a new process.
"""

import gc
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import _lru_cache_wrapper
from types import CodeType, FunctionType
from typing import Any

#: A function within its module: its qualified name, and how many of the same name stand before it.
Key = tuple[str, int]

#: The flag of code that belongs to a function. Code of a module or of the body of a class lacks it.
_IS_FUNCTION = 0x0002


class CannotSwap(Exception):
    """The mutation changes what runs at import, or a function that this process does not have."""


@dataclass(frozen=True)
class Compiled:
    """The code of a module: its functions, and what runs at import.

    Methods count as functions. A function inside another one belongs to it.
    """

    functions: Mapping[Key, CodeType]
    import_time: tuple[Any, ...]


def compiled(source: str, path: str) -> Compiled:
    """Return the code of *source*, compiled as the file *path*."""
    functions: dict[Key, CodeType] = {}
    import_time: list[Any] = []
    counts: Counter[str] = Counter()

    def walk(code: CodeType) -> None:
        import_time.append(_meaning(code, with_functions=False))
        for constant in code.co_consts:
            if not isinstance(constant, CodeType):
                continue
            if constant.co_flags & _IS_FUNCTION:
                functions[constant.co_qualname, counts[constant.co_qualname]] = constant
                counts[constant.co_qualname] += 1
            else:
                walk(constant)

    walk(compile(source, path, "exec", dont_inherit=True))
    return Compiled(functions, tuple(import_time))


def changed_functions(original: Compiled, mutated: Compiled) -> dict[Key, CodeType]:
    """Return the functions that differ, with their mutated code.

    Raises:
        CannotSwap: something that runs at import differs.
    """
    if original.import_time != mutated.import_time or original.functions.keys() != mutated.functions.keys():
        raise CannotSwap
    return {key: code for key, code in mutated.functions.items() if _meaning(code) != _meaning(original.functions[key])}


def swap(original: Compiled, changed: Mapping[Key, CodeType], path: str) -> None:
    """Give every living function of *changed* its mutated code, and forget cached results.

    Raises:
        CannotSwap: none is alive, or one has other variables of an outer function.
    """
    keys = {(code.co_qualname, code.co_firstlineno): key for key, code in original.functions.items()}
    objects = gc.get_objects()
    swapped = set()
    for function in [found for found in objects if isinstance(found, FunctionType)]:
        code = function.__code__
        key = keys.get((code.co_qualname, code.co_firstlineno)) if code.co_filename == path else None
        if key is not None and key in changed:
            try:
                function.__code__ = changed[key]
            except ValueError as error:
                raise CannotSwap from error
            swapped.add(key)
    if swapped != changed.keys():
        raise CannotSwap
    for cached in [found for found in objects if isinstance(found, _lru_cache_wrapper)]:
        cached.cache_clear()


def _meaning(code: CodeType, *, with_functions: bool = True) -> tuple[Any, ...]:
    """Return what *code* does, without its position in the file."""
    inner = [constant for constant in code.co_consts if isinstance(constant, CodeType)]
    return (
        code.co_qualname, code.co_code, code.co_names, code.co_varnames, code.co_freevars, code.co_cellvars, code.co_flags,
        code.co_argcount, code.co_kwonlyargcount, code.co_posonlyargcount, code.co_exceptiontable,
        tuple(_constant(constant) for constant in code.co_consts if not isinstance(constant, CodeType)),
        tuple(_meaning(constant) for constant in inner) if with_functions else len(inner),
    )  # fmt: skip


def _constant(value: Any) -> Any:
    """Return *value* with its type, because ``1 == True``."""
    if isinstance(value, tuple):
        return tuple(map(_constant, value))
    if isinstance(value, frozenset):
        return frozenset(map(_constant, value))
    return type(value).__name__, repr(value)
