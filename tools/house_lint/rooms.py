"""Where the modules of a package may be.

The root holds names that Django developers know. Rooms, which are folders named after their subject, hold the rest.
"""

import ast
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

#: Names in the root of a package that a Django developer knows without opening the file.
KNOWN_NAMES = frozenset({
    "admin", "api", "apps", "backends", "checks", "conf", "decorators", "errors", "events", "fields", "hashers", "ids",
    "management", "managers", "middleware", "migrations", "models", "pages", "receivers", "registries", "tasks",
    "templates", "templatetags", "testing", "urls", "validators",
})  # fmt: skip

#: Other names in a root, each with the reason why it is in no room.
IN_THE_ROOT: dict[str, dict[str, str]] = {
    "auth_core": {
        "admin_batches": "A part of `admin`.",
        "admin_permissions": "A part of `admin`, also of other packages.",
        "admin_search": "A part of `admin`, also of other packages.",
        "administration": "In a room it would tie `assurance` and `people` to each other.",
        "authority": "It is asked by functions of every room and of every package.",
        "contracts": "The protocols that other packages implement.",
        "key_rotation": "It reads the encrypted fields of `fields`.",
        "limits": "It becomes a room with the table of limits.",
        "memo": "Rooms of every layer keep values on instances with it.",
        "operations": "Migrations name it.",
        "options": "The classes behind every package's `conf`.",
        "power_signals": "The receivers of `authority`, connected by `apps`.",
        "remembered_refusals": "A part of `limits`.",
        "text": "Every room reads text from outside through it.",
        "users": "The protocols that annotate users, in every room and in every package.",
    },
    "oauth": {
        "admin_forms": "A part of `admin`.",
        "admin_pages": "A part of `admin`.",
        "generators": "Django-oauth-toolkit's name for what makes ids and secrets.",
        "oauth2_validators": "Django-oauth-toolkit's name for what answers its views.",
        "sweep": "It is a periodic sweep over all tables.",
        "toolkit": "Settings modules import it.",
    },
    "oauth_resource": {
        "asgi": "Django's name for what a server calls.",
        "answers": "The provider's endpoints and views of every kind answer with it.",
    },
    "federation": {
        "sweep": "It is a periodic sweep over all tables.",
    },
    "auth_mfa": {
        "admin_reset": "A part of `admin`.",
        "answer_check": "Every method's room calls it.",
        "cleanup": "It is a periodic sweep over all methods.",
        "codes": "The models of several methods import it.",
        "descriptions": "It describes the factors of all methods.",
        "enrolment": "Every method's room calls it.",
        "factors": "The subject of the package.",
        "kinds": "The contract between the package and the methods' rooms.",
        "login": "The login step that all methods share.",
        "login_enrolment": "The login step in which any method is added.",
        "mailbox": "`enrolment` and the room `messages` import it.",
        "oath": "The model of TOTP imports it.",
        "policy": "Who needs a second factor, by any method.",
        "requirements": "What a login still needs, by any method.",
    },
    "auth_rbac": {
        "admin_forms": "A part of `admin`.",
        "admin_pages": "A part of `admin`.",
        "declared_permissions": "It reads the settings of the site.",
        "facts": "What policies of the project may ask.",
        "names": "The models import it.",
        "not_found_policy": "One rule for views of any kind.",
        "object_guards": "The receivers for rows that an admin page writes, connected by `apps`.",
        "permission_names": "Every room imports it.",
        "role_authority": "It answers `auth_core.authority` from the rooms `roles` and `objects`.",
        "scopes": "Every room imports it.",
    },
    "auth_sessions": {
        "admin_filters": "A part of `admin`.",
        "allowances": "The session limits of single people.",
        "concurrency": "The limits on concurrent sessions.",
        "context_change": "Whether a session is used from another country or browser.",
        "controls": "The names of the controls that this package degrades.",
        "devices": "A subject of the package.",
        "engine": "Django's name for what stores sessions.",
        "geo": "The table of countries.",
        "history": "What a person's former logins say about a new one.",
        "lifecycle": "How a session begins and ends.",
        "login": "The grant issuer and the login step.",
        "not_me": "The link of a notice that revokes a session.",
        "notices": "The security notices of the package.",
        "privilege_rotation": "A new credential when a person's rights change.",
        "risk": "The risk score of a login.",
        "session_columns": "The columns of a new session.",
        "session_statement": "The statement that opens a session.",
        "travel": "The speed between two logins.",
        "user_agents": "Names of browsers and systems.",
    },
    "auth_audit": {
        "activity": "What a person sees of their own entries.",
        "controls": "The names of the controls that this package degrades.",
        "offline_verifier": "One file without Django, which auditors run alone.",
        "operations": "Migrations name it.",
        "search": "The filters of the API and of the admin.",
    },
}

#: Apps inside a package that are not installed by default. Each is laid out as a package: a root, and rooms.
APPS_IN_PACKAGES = {"auth_core": ("oauth", "oauth_resource", "federation")}

#: Most modules in the root of a package, and fewest and most modules in a room.
MOST_IN_A_ROOT = 30
LEAST_IN_A_ROOM, MOST_IN_A_ROOM = 2, 11

#: Module names that end like a participle, each with the reason why it is a noun here.
NOUNS = {
    "hashing": "The usual noun for what is done with passwords.",
    "mixed": "A benchmark, named for its load.",
    "seed": "The usual noun for the first rows of a database.",
    "locking": "The usual noun for what is done with accounts.",
    "logging": "The name of Python's own module.",
    "testing": "The name that Django and others give to what tests import.",
}

#: Fewest lines of a module that only one other module imports.
FEWEST_LINES = 40

#: Smaller modules with one importer, each with the reason why it is not a part of its importer.
WITH_ONE_IMPORTER = {
    "auth_core.observability.admin_log": "Its subject is the admin site. The middleware only puts it in place.",
    "auth_core.oauth.api.token_views": "A base for the views of sites.",
    "auth_core.oauth.endpoints.revocation": "One endpoint, as the other modules of the room.",
    "auth_core.federation.api.answers": "Where every package has what goes out.",
    "auth_core.federation.providers.gitlab": "One provider, as the other modules of the room.",
    "auth_core.federation.providers.google": "One provider, as the other modules of the room.",
    "auth_core.federation.providers.linkedin": "One provider, as the other modules of the room.",
    "auth_core.federation.sweep": "`apps` registers it, and cannot import models itself.",
    "auth_core.oauth_resource.issuers.clients": "All that a process keeps of issuers, which tests forget.",
    "auth_core.oauth.sweep": "`apps` registers it, and cannot import models itself.",
    "auth_core.request.celery": "It needs Celery, which is optional.",
    "auth_mfa.cleanup": "`apps` registers it, and cannot import models itself.",
    "auth_mfa.pages.well_known": "The URLs of a site name it, because its address is outside of the package's own.",
    "auth_mfa.totp.qr": "The only module that knows the library that draws.",
    "auth_rbac.roles.service_orphans": "What an orphan is, apart from the command that prints the number.",
    "auth_sessions.pages.link_views": "The page of a mailed link, under the name that `auth_core` has for such pages.",
    "auth_sessions.risk_signals.failures": "One group of signals, as the other modules of the room.",
    "enterprise_auth.celery": "`celery -A enterprise_auth` looks for it, and `apps` loads it by its path if there is a broker.",
    "enterprise_auth.core.identity_providers": "It reads the environment, and settings modules only name values.",
    "enterprise_auth.core.keys": "It writes a file, and settings modules only name values.",
    "enterprise_auth.core.mail": "It differs by the version of Django, and settings modules only name values.",
    "enterprise_auth.core.processors": "Tests ask it as well, and settings modules only name values.",
    "enterprise_auth.front.connections": "When a connection is kept, apart from who answers. Tests ask it as well.",
    "enterprise_auth.web_server.allocator": "It knows the C library, and `wsgi` is for any server.",
}

#: Names of modules that a framework looks for, in any folder.
_FRAMEWORK_NAMES = KNOWN_NAMES | {"__init__", "asgi", "permissions", "urls", "views", "wsgi"}

#: Folders whose modules may have one importer: one model, one command or one test double a file.
_OF_SINGLE_MODULES = frozenset({"management", "migrations", "models", "settings", "testing"})


def misplaced(root: Path, files: list[Path]) -> Iterator[tuple[Path, str]]:
    """Yield each file or folder of a package that breaks a rule about places or module names, and what is wrong.

    Args:
        root: The package's folder, such as ``packages/mfa/src/auth_mfa``.
        files: The Python files below it.
    """
    apps = APPS_IN_PACKAGES.get(root.name, ())
    inside = [inner for inner in (path.relative_to(root) for path in files) if inner.parts[0] not in apps]
    names = {path.parts[0].removesuffix(".py") for path in inside} - {"__init__"}
    allowed = IN_THE_ROOT.get(root.name, {})
    modules = [path for path in inside if len(path.parts) == 1 and path.name != "__init__.py"]
    if len(modules) > MOST_IN_A_ROOT:
        yield root, f"The root has {len(modules)} modules. At most {MOST_IN_A_ROOT} are allowed."
    rooms = {path.parts[0] for path in inside if len(path.parts) > 1} - KNOWN_NAMES
    for name in sorted(names - KNOWN_NAMES - rooms - set(allowed)):
        yield root / f"{name}.py", "Move it into a room, or list it in house_lint.rooms.IN_THE_ROOT with a reason."
    for name in sorted(set(allowed) - names):
        yield root / f"{name}.py", "It is listed in house_lint.rooms.IN_THE_ROOT, and is not there."
    for room in sorted(rooms - set(allowed)):
        in_it = [path for path in inside if path.parts[0] == room and path.name != "__init__.py"]
        if not LEAST_IN_A_ROOM <= len(in_it) <= MOST_IN_A_ROOM:
            yield root / room, f"A room has {LEAST_IN_A_ROOM} to {MOST_IN_A_ROOM} modules. This one has {len(in_it)}."


def small_modules(sources: Mapping[Path, str]) -> Iterator[tuple[Path, str]]:
    """Yield each small module that is imported by one other only, and whose reason for that is not listed.

    Args:
        sources: The modules of all packages and of the project with their text. Tests are not among them.
    """
    paths = {_name_of(path): path for path in sources}
    importers: dict[str, set[str]] = {name: set() for name in paths}
    for name, path in paths.items():
        for imported in _imports_of(sources[path]):
            importers.get(imported, set()).add(name)
    small = {
        name
        for name, path in paths.items()
        if len(importers[name]) == 1 and not _stands_alone(path) and len(sources[path].splitlines()) < FEWEST_LINES
    }
    for name in sorted(small - set(WITH_ONE_IMPORTER)):
        (importer,) = importers[name]
        yield (
            paths[name],
            f"It has fewer than {FEWEST_LINES} lines, and only {importer} imports it. Move it there, or list it in "
            "house_lint.rooms.WITH_ONE_IMPORTER with a reason.",
        )
    for name in sorted(set(WITH_ONE_IMPORTER) - small):
        yield paths.get(name, Path(name)), "It is listed in house_lint.rooms.WITH_ONE_IMPORTER, and need not be."


def _stands_alone(path: Path) -> bool:
    return path.stem in _FRAMEWORK_NAMES or bool(_OF_SINGLE_MODULES.intersection(path.parts))


def _name_of(path: Path) -> str:
    """Return the dotted name of a module below ``packages/*/src`` or ``project``."""
    inside = path.parts[path.parts.index("src") + 1 if "src" in path.parts else 1 :]
    return ".".join(inside).removesuffix(".py").removesuffix(".__init__")


def _imports_of(source: str) -> Iterable[str]:
    """Return what *source* imports anywhere: modules, and names in modules that may be modules too."""
    imported: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom) and node.module:
            imported |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
        elif isinstance(node, ast.Import):
            imported |= {alias.name for alias in node.names}
    return imported


def participles(files: list[Path]) -> Iterator[tuple[Path, str]]:
    """Yield each module whose name is a participle: modules are nouns."""
    for path in files:
        if path.stem.endswith(("ing", "ed")) and path.stem not in NOUNS and not path.stem.startswith("test_"):
            yield path, "A module is named by a noun. This is a participle."
