"""Growth of processor time with the length of a text, and the code that runs patterns or costly parsers on texts."""

import ast
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

#: Length of the longer text, in characters. The shorter one has half of it.
LONGER = 100_000

#: Work below this time is not compared, in seconds. Quadratic work on `LONGER` characters takes a hundred times as long.
_INSTANT = 0.005

#: The number of measurements. Fewer are made if they take longer than `_ENOUGH` seconds together.
_TIMES = 5
_ENOUGH = 0.2

#: Growth above this is measured again, at most `_ROUNDS` times, because other work on the machine may disturb it.
_DOUBTFUL = 2.5
_ROUNDS = 12

#: Functions that compile a regular expression.
_COMPILES = frozenset({"Pattern", "re.compile"})

#: Library functions whose own work or regular expressions depend on the text.
COSTLY = frozenset({
    "unicodedata.normalize", "idna.encode", "ua_parser.parse", "phonenumbers.parse",
    "urlsplit", "urljoin", "parse_qs", "ip_address", "ip_network", "ipaddress.ip_address", "ipaddress.ip_network",
})  # fmt: skip


def growth(work: Callable[[str], object], worst: Callable[[int], str], *, longer: int = LONGER) -> float:
    """Return the factor by which the processor time of *work* grows when the text doubles.

    Linear work gives about 2, quadratic work about 4, and very short work gives 1. The
    lowest of several measurements of this thread counts, so that other work on the
    machine has little effect.

    Args:
        work: The function that reads the text.
        worst: Returns the worst text of a given length for *work*.
        longer: Length of the longer text, in characters.
    """
    long, short = worst(longer), worst(longer // 2)
    # The first call may load modules or fill caches, so it is not measured.
    work(worst(longer // 100))
    slow, fast = _least(work, long), _least(work, short)
    for _round in range(_ROUNDS):
        if slow < _INSTANT or slow < _DOUBTFUL * fast:
            break
        slow, fast = min(slow, _least(work, long)), min(fast, _least(work, short))
    return 1.0 if slow < _INSTANT else slow / fast


def patterns_in(path: Path, module: str) -> set[str]:
    """Return the regular expressions in a file as ``module.NAME``, or as ``module:line`` without a name."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    named = {
        id(node.value): f"{module}.{target.id}"
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    calls = (node for node in ast.walk(tree) if isinstance(node, ast.Call))
    patterns = (call for call in calls if ast.unparse(call.func) in _COMPILES or _runs_directly(call))
    return {named.get(id(call), f"{module}:{call.lineno}") for call in patterns}


def readers_in(path: Path, module: str) -> set[str]:
    """Return the functions in a file that call one of `COSTLY`, as ``module.function``."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return {f"{module}.{name}" for name, node in _functions(tree) if _calls_costly(node)}


def modules_of(folders: Iterable[Path]) -> Iterator[tuple[Path, str]]:
    """Yield the files below *folders* with their dotted names. Test kits and migrations are skipped."""
    for folder in folders:
        for path in sorted(folder.rglob("*.py")):
            words = path.relative_to(folder).with_suffix("").parts
            if not {"testing", "migrations"} & set(words):
                yield path, ".".join(words).removesuffix(".__init__")


def _least(work: Callable[[str], object], text: str) -> float:
    """Return the lowest processor time of several calls, in seconds."""
    times: list[float] = []
    while len(times) < _TIMES and sum(times) < _ENOUGH:
        start = time.thread_time()
        work(text)
        times.append(time.thread_time() - start)
    return min(times)


def _runs_directly(call: ast.Call) -> bool:
    """Return whether *call* runs a pattern directly, as ``re.sub(…)`` does. ``re.escape`` runs none."""
    words = ast.unparse(call.func).split(".")
    return words[0] == "re" and words[-1] != "escape"


def _functions(tree: ast.AST, prefix: str = "") -> Iterator[tuple[str, ast.AST]]:
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            if isinstance(node, ast.FunctionDef):
                yield f"{prefix}{node.name}", node
            yield from _functions(node, f"{prefix}{node.name}.")


def _calls_costly(function: ast.AST) -> bool:
    calls = (node for node in ast.walk(function) if isinstance(node, ast.Call))
    return any(ast.unparse(call.func) in COSTLY for call in calls)
