"""How the work on a text grows with the text; and which texts meet a regular expression or a costly parser."""

import ast
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

#: Length of the longer text, in characters; the other has half of it.
LONGER = 100_000

#: Work below this is not compared, in seconds: quadratic work on `LONGER` characters takes a hundred times as long.
_INSTANT = 0.005

#: How often each is measured, unless the measurements together take longer than `_ENOUGH` seconds.
_TIMES = 5
_ENOUGH = 0.2

#: Growth above this is measured again, as other work on the machine may have been in the way, at most so often.
_DOUBTFUL = 2.5
_ROUNDS = 6

#: What compiles or runs a regular expression.
_COMPILES = frozenset({"Pattern", "re.compile"})

#: Functions of libraries whose work, or whose own regular expressions, depend on what they read.
COSTLY = frozenset({
    "unicodedata.normalize", "idna.encode", "ua_parser.parse", "phonenumbers.parse",
    "urlsplit", "urljoin", "parse_qs", "ip_address", "ip_network", "ipaddress.ip_address", "ipaddress.ip_network",
})  # fmt: skip


def growth(work: Callable[[str], object], worst: Callable[[int], str], *, longer: int = LONGER) -> float:
    """Return how many times as much processor time *work* takes on a text of twice the length.

    About 2 where the work grows in step with the text, 4 where it grows with its
    square. The least of several measurements counts, of this thread alone, so that
    other work on the machine changes little. 1 stands for work that is done at once.

    Args:
        work: What reads the text.
        worst: Makes its worst text of a given length.
        longer: Length of the longer text, in characters.
    """
    long, short = worst(longer), worst(longer // 2)
    # What is loaded or remembered by the first call is no work on the text.
    work(worst(longer // 100))
    slow, fast = _least(work, long), _least(work, short)
    for _round in range(_ROUNDS):
        if slow < _INSTANT or slow < _DOUBTFUL * fast:
            break
        slow, fast = min(slow, _least(work, long)), min(fast, _least(work, short))
    return 1.0 if slow < _INSTANT else slow / fast


def patterns_in(path: Path, module: str) -> set[str]:
    """Return the regular expressions in a file as ``module.NAME``; one without a name as ``module:line``."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    named = {
        id(node.value): f"{module}.{target.id}"
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    calls = (node for node in ast.walk(tree) if isinstance(node, ast.Call))
    found = (call for call in calls if ast.unparse(call.func) in _COMPILES or _runs_directly(call))
    return {named.get(id(call), f"{module}:{call.lineno}") for call in found}


def readers_in(path: Path, module: str) -> set[str]:
    """Return the functions in a file that call one of `COSTLY`, as ``module.function``."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return {f"{module}.{name}" for name, node in _functions(tree) if _calls_costly(node)}


def modules_of(folders: Iterable[Path]) -> Iterator[tuple[Path, str]]:
    """Yield the files below *folders* with their dotted names; kits for tests and migrations are left out."""
    for folder in folders:
        for path in sorted(folder.rglob("*.py")):
            words = path.relative_to(folder).with_suffix("").parts
            if not {"testing", "migrations"} & set(words):
                yield path, ".".join(words).removesuffix(".__init__")


def _least(work: Callable[[str], object], text: str) -> float:
    """Return the least processor time of several calls, in seconds."""
    times: list[float] = []
    while len(times) < _TIMES and sum(times) < _ENOUGH:
        began = time.thread_time()
        work(text)
        times.append(time.thread_time() - began)
    return min(times)


def _runs_directly(call: ast.Call) -> bool:
    """Say whether *call* is ``re.sub(…)`` and the like; ``re.escape`` reads nothing."""
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
