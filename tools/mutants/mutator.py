"""The mutations of a module, made by the operators of mutmut and those of `mutants.operators`.

Only ``./dev mutants`` installs mutmut and libcst. Nothing that CI runs imports this module.
"""

import ast
import hashlib
from collections import Counter
from collections.abc import Iterator, Sequence
from operator import attrgetter

import libcst as cst
from mutmut.mutation.mutators import mutation_operators

from mutants.mutation import Mutation, mutation_between
from mutants.noise import is_blunt, is_noise, is_uninteresting
from mutants.operators import OPERATORS

_ALL_OPERATORS = [*mutation_operators, *OPERATORS]


def mutations_of(source: str) -> list[Mutation]:
    """Return all mutations of *source*, by line. Noise is left out, and each one can be parsed.

    Raises:
        ValueError: libcst does not return the source that it parsed.
    """
    module = cst.parse_module(source)
    begin = "".join(module.code_for_node(line) for line in module.header)
    parts = [module.code_for_node(part) for part in module.body]
    if not source.startswith(begin + "".join(parts)):
        raise ValueError("libcst does not return the source that it parsed.")
    end = source[len(begin + "".join(parts)) :]
    found: dict[tuple[str, str, str], Mutation] = {}
    for index, part in enumerate(module.body):
        before, after = begin + "".join(parts[:index]), "".join(parts[index + 1 :]) + end
        for where, node, replacement in _replacements(part, None, ()):
            changed = module.code_for_node(part.deep_replace(node, replacement))  # type: ignore[arg-type]  # libcst's stub knows fewer nodes
            if changed.split() == parts[index].split() or not _can_be_parsed(changed):
                continue
            mutation = mutation_between(
                parts[index], changed, where=".".join(where) or "<module>", first_line=before.count("\n") + 1,
                source=before + changed + after, is_blunt=is_blunt(replacement),
            )  # fmt: skip
            found.setdefault(mutation.key, mutation)
    return sorted(found.values(), key=attrgetter("line"))


def spread(mutations: Sequence[Mutation], count: int) -> list[Mutation]:
    """Return *count* of *mutations*, spread over the lines, always the same ones.

    Each line has its turn before another line has a second one. A blunt mutation comes after the others of its line. A
    digest decides the rest, so a change elsewhere in the module replaces few of them.
    """
    ranked = sorted(mutations, key=lambda mutation: (mutation.is_blunt, _digest(mutation)))
    turns: Counter[tuple[str, int]] = Counter()
    ordered = []
    for mutation in ranked:
        ordered.append((turns[mutation.where, mutation.line], mutation))
        turns[mutation.where, mutation.line] += 1
    chosen = [mutation for _turn, mutation in sorted(ordered, key=lambda pair: pair[0])[:count]]
    return sorted(chosen, key=attrgetter("line"))


def _digest(mutation: Mutation) -> str:
    return hashlib.sha256("\0".join(mutation.key).encode()).hexdigest()


def _replacements(
    node: cst.CSTNode, parent: cst.CSTNode | None, where: tuple[str, ...]
) -> Iterator[tuple[tuple[str, ...], cst.CSTNode, cst.CSTNode]]:
    """Yield where *node* is, what is replaced in it, and its replacement."""
    if is_noise(node, parent):
        return
    if isinstance(node, cst.FunctionDef | cst.ClassDef):
        where = (*where, node.name.value)
    for kind, operator in _ALL_OPERATORS:
        if isinstance(node, kind):
            yield from (
                (where, node, replacement) for replacement in operator(node) if not is_uninteresting(node, replacement)
            )
    for child in node.children:
        yield from _replacements(child, node, where)


def _can_be_parsed(source: str) -> bool:
    try:
        ast.parse(source)
    except SyntaxError:
        return False
    return True
