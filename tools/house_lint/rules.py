"""The rules. Each is one small function over one node of a file's syntax tree."""

import ast
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

#: Names of values that must never be handed to a logger as they are.
SECRET_NAMES = frozenset({
    "password", "token", "secret", "credential", "code", "key", "seed", "cookie", "session_key", "passphrase",
    "new_password", "current_password", "access_token", "refresh_token", "client_secret", "recovery_code",
})  # fmt: skip

#: Ends of the names of functions that read a clock.
_CLOCKS = (
    "timezone.now", "timezone.localtime", "timezone.localdate", "datetime.now", "datetime.utcnow", "datetime.today",
    "date.today", "time.time", "time.time_ns", "time.monotonic", "time.monotonic_ns", "time.perf_counter",
)  # fmt: skip
_LOG_METHODS = frozenset({"debug", "info", "warning", "error", "exception", "critical", "log"})
_ENVIRONMENT = frozenset({"os.environ", "os.getenv"})
_SETTINGS = frozenset({"settings", "django_settings", "conf.settings", "django.conf.settings"})
_SETTINGS_IN_MODELS = frozenset({"AUTH_USER_MODEL"})

#: The tables that grant permissions. Each change of them changes a version, by a trigger or else by a signal.
_HOLDING = frozenset({
    "Assignment", "Role", "RoleEdge", "RoleClosure", "Wildcard",
    "UserObjectPermission", "GroupObjectPermission", "get_user_obj_perms_model", "get_group_obj_perms_model",
})  # fmt: skip
#: What is called of the tables between people, groups, roles and permissions.
_BETWEEN = frozenset({"groups", "user_permissions", "permissions", "denials"})
#: What changes many rows and sends no signal.
_UNHEARD = frozenset({"update", "bulk_create", "bulk_update", "_raw_delete", "aupdate", "abulk_create", "abulk_update"})
#: Where the change makes itself known, or is the closure that follows from one that did.
_HEARD_IN = ("auth_rbac/roles/hierarchy.py", "auth_rbac/models/*.py")


#: Names that say what happened to a value, and not what it is.
_RIDDLES = frozenset({"told", "known", "said", "given", "held", "asked", "piece"})

#: What runs a regular expression over text of any length, or makes something that does.
_UNBOUNDED = frozenset({
    "re", "regex", "re_path", "RegexValidator", "RegexField", "urlize", "strip_tags",
})  # fmt: skip
#: Where they may be used all the same, and why.
_UNBOUNDED_IN = {
    "auth_core/text.py": "It is the bound.",
    "auth_rbac/statements/tables.py": "It reads statements of ours. Cutting one would break it.",
}


@dataclass(frozen=True)
class Finding:
    """One broken rule."""

    path: Path
    line: int
    message: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.message}"


def check_file(path: Path, text: str) -> list[Finding]:
    """Return what breaks a rule in one file."""
    if "migrations" in path.parts:
        return []
    tree = ast.parse(text)
    broken = ((node, rule(node, path)) for node in ast.walk(tree) for rule in RULES)
    return [Finding(path, getattr(node, "lineno", 0), message) for node, message in broken if message]


def naive_now(node: ast.AST, path: Path) -> str:
    """``datetime.now()`` without a zone compares with nothing that the database returns."""
    called = _called(node)
    is_now = called in ("datetime.now", "datetime.datetime.now") and not _arguments(node)
    if is_now or called in ("datetime.utcnow", "datetime.datetime.utcnow"):
        return "datetime.now() is naive: use django.utils.timezone.now()."
    return ""


def positional_timedelta(node: ast.AST, path: Path) -> str:
    """The first positional argument of ``timedelta`` is days, which readers mistake for seconds."""
    if _called(node).split(".")[-1] == "timedelta" and isinstance(node, ast.Call) and node.args:
        is_zero = len(node.args) == 1 and isinstance(node.args[0], ast.Constant) and node.args[0].value == 0
        return "" if is_zero else "timedelta takes its unit by name: timedelta(minutes=5)."
    return ""


def user_lookup(node: ast.AST, path: Path) -> str:
    """Who is looked up by what is one module's business."""
    is_lookup = _called(node) in ("User.objects.get", "get_user_model.objects.get", "user_model.objects.get")
    if is_lookup and "auth_core" not in path.parts and not _is_test(path):
        return "Look people up with auth_core.people.lookup."
    return ""


def change_of_the_trail(node: ast.AST, path: Path) -> str:
    """Entries are appended, never written again."""
    called = _called(node)
    is_change = called.split(".")[-1] in ("update", "delete") and "AuditEntry" in called
    if is_change and path.name != "retention.py" and not _is_test(path):
        return "The trail is append-only; only retention.py takes entries away."
    return ""


def change_that_nobody_hears_of(node: ast.AST, path: Path) -> str:
    """Decisions are cached until a version changes. On SQLite only signals change it."""
    words = _called(node).split(".")
    is_between = "through" in words and bool(_BETWEEN.intersection(words))
    if words[-1] not in _UNHEARD or not (_HOLDING.intersection(words) or is_between):
        return ""
    if _is_test(path) or "benchmarks" in path.parts or any(path.match(pattern) for pattern in _HEARD_IN):
        return ""
    return f"{words[-1]}() sends no signal, and answers stay remembered: save or delete each, or call auth_rbac."


def event_name_made_at_run_time(node: ast.AST, path: Path) -> str:
    """An event's name is a member of a catalogue, so that it can be found."""
    if _called(node).split(".")[-1] == "Event":
        named = [word.value for word in getattr(node, "keywords", []) if word.arg == "name"]
        if any(isinstance(name, ast.JoinedStr | ast.BinOp) for name in [*named, *getattr(node, "args", [])[:1]]):
            return "An event's name is a member of an EventName, not made at run time."
    return ""


def signal_elsewhere(node: ast.AST, path: Path) -> str:
    """Signals connect packages. Inside a package, call the function."""
    if _called(node).split(".")[-1] == "Signal" and path.name != "events.py":
        return "Signals are declared in events.py; inside a package call the function."
    return ""


def setting_read_elsewhere(node: ast.AST, path: Path) -> str:
    """Settings have one typed door per package, and a check behind it."""
    name = _setting(node)
    if not name.isupper() or name in _SETTINGS_IN_MODELS or path.name == "conf.py" or _is_test(path) or _is_tool(path):
        return ""
    return f"settings.{name} is read in conf.py alone."


def environment_read_elsewhere(node: ast.AST, path: Path) -> str:
    """The environment has one reader in the service, one in the tests' kit, and tools have no settings."""
    is_reader = path.name == "env.py" or path.match("auth_core/testing/settings.py") or _is_tool(path)
    is_read = _dotted(node) in _ENVIRONMENT and isinstance(node, ast.Attribute)
    is_import = (
        isinstance(node, ast.ImportFrom) and {f"{node.module}.{word.name}" for word in node.names} & _ENVIRONMENT
    )
    if (is_read or is_import) and not is_reader and not _is_test(path):
        return "os.environ is read in env.py alone."
    return ""


def travel_without_tick(node: ast.AST, path: Path) -> str:
    """Whether time goes on is half of what such a test says."""
    if _called(node) == "time_machine.travel" and not any(word.arg == "tick" for word in getattr(node, "keywords", [])):
        return "time_machine.travel says tick=True or tick=False."
    return ""


def clock_read_at_import(node: ast.AST, path: Path) -> str:
    """A test runs minutes after its import on a slow machine. What was fresh at the import has expired by then."""
    if not isinstance(node, ast.Module) or not _is_test(path):
        return ""
    lines = [str(call.lineno) for call in _run_at_import(node) if _called(call).endswith(_CLOCKS)]
    return f"Line {', '.join(lines)} reads the clock at import: read it in the test, or name a moment." if lines else ""


def secret_logged(node: ast.AST, path: Path) -> str:
    """Secrets are not logged. The redacting filter is the second line of defence."""
    if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in _LOG_METHODS):
        return ""
    if "log" not in _dotted(node.func.value).lower():
        return ""
    named = [_dotted(argument).split(".")[-1] for argument in [*node.args, *(word.value for word in node.keywords)]]
    leaked = sorted(SECRET_NAMES.intersection(named))
    return f"{leaked[0]!r} is handed to a logger." if leaked else ""


def log_line_without_content(node: ast.AST, path: Path) -> str:
    """A handler of a site prints the message alone, so fields in ``extra`` do not say what happened."""
    if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in _LOG_METHODS):
        return ""
    match node.args:
        case [ast.Constant(value=str(message))] if "log" in _dotted(node.func.value).lower():
            is_bare = len(message.split()) == 1 or any(word.arg == "extra" for word in node.keywords)
            return "The message of a log line says what happened without its extra fields." if is_bare else ""
    return ""


def unbounded_expression(node: ast.AST, path: Path) -> str:
    """A regular expression over 100,000 characters can take seconds, and holds the interpreter's lock."""
    if path.parts[0] == "tools" or _is_test(path) or "benchmarks" in path.parts:
        return ""
    if any(path.match(pattern) for pattern in _UNBOUNDED_IN):
        return ""
    imported = [alias.name for alias in node.names] if isinstance(node, ast.Import | ast.ImportFrom) else []
    module = node.module or "" if isinstance(node, ast.ImportFrom) else ""
    words = {word for name in [*imported, module] for word in name.split(".")}
    if found := sorted(_UNBOUNDED & (words | {_called(node).split(".")[-1]})):
        return f"{found[0]} reads text of any length: use auth_core.text.Pattern, which has a bound."
    return ""


def riddle_as_a_name(node: ast.AST, path: Path) -> str:
    """A variable is named for what it holds."""
    name = node.arg if isinstance(node, ast.arg) else ""
    if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
        name = node.id
    return f"{name!r} does not say what it holds: name it for that." if name in _RIDDLES else ""


RULES: list[Callable[[ast.AST, Path], str]] = [
    naive_now,
    positional_timedelta,
    user_lookup,
    change_of_the_trail,
    change_that_nobody_hears_of,
    event_name_made_at_run_time,
    signal_elsewhere,
    setting_read_elsewhere,
    environment_read_elsewhere,
    travel_without_tick,
    clock_read_at_import,
    secret_logged,
    log_line_without_content,
    unbounded_expression,
    riddle_as_a_name,
]


def _is_test(path: Path) -> bool:
    return bool({"tests", "testing"} & set(path.parts))


def _is_tool(path: Path) -> bool:
    """Return whether *path* is a chore or a benchmark: neither is part of the service, and both start processes."""
    return path.parts[0] == "tools" or "benchmarks" in path.parts


def _run_at_import(node: ast.AST) -> Iterator[ast.Call]:
    """Yield the calls that run when a module is imported. Decorators and defaults run, bodies of functions do not."""
    match node:
        case ast.Lambda(args=arguments):
            inside: list[ast.AST] = [arguments]
        case ast.FunctionDef(args=arguments) | ast.AsyncFunctionDef(args=arguments):
            inside = [*node.decorator_list, arguments]
        case _:
            inside = list(ast.iter_child_nodes(node))
    if isinstance(node, ast.Call):
        yield node
    for child in inside:
        yield from _run_at_import(child)


def _setting(node: ast.AST) -> str:
    """Return X of ``settings.X`` and of ``getattr(settings, "X", …)``, or "" for other nodes."""
    if isinstance(node, ast.Attribute) and _dotted(node.value) in _SETTINGS:
        return node.attr
    if isinstance(node, ast.Call) and _called(node) in ("getattr", "hasattr"):
        match node.args:
            case [owner, ast.Constant(value=str(name)), *_] if _dotted(owner) in _SETTINGS:
                return name
    return ""


def _called(node: ast.AST) -> str:
    return _dotted(node.func) if isinstance(node, ast.Call) else ""


def _arguments(node: ast.AST) -> list[ast.AST]:
    return [*node.args, *node.keywords] if isinstance(node, ast.Call) else []


def _dotted(node: ast.AST) -> str:
    """Return ``a.b.c`` of a chain of attributes. Calls in between are ignored."""
    return ".".join(reversed(list(_words(node))))


def _words(node: ast.AST) -> Iterator[str]:
    while True:
        if isinstance(node, ast.Attribute):
            yield node.attr
            node = node.value
        elif isinstance(node, ast.Call):
            node = node.func
        else:
            break
    if isinstance(node, ast.Name):
        yield node.id
