"""The environment. Only this module reads it.

Every variable is declared here with its meaning, and ``.env.example`` is generated from the list. The real
environment overrides ``.env``. ``NAME_FILE`` names a file that contains the value (Docker and Kubernetes
secrets).
"""

import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from io import StringIO
from pathlib import Path

from dotenv.parser import parse_stream

ROOT = Path(__file__).resolve().parents[2]

#: Maximum number of digits that are read as a number.
_DIGITS = 10
_PORTS = (1, 65_535)


class InvalidEnvironment(Exception):
    """Variables are missing, weak or malformed. One message lists all of them."""

    def __init__(self, problems: list[str]) -> None:
        self.problems = problems
        lines = "\n".join(f"  - {problem}" for problem in problems)
        super().__init__(f"The service does not start: {len(problems)} settings are wrong.\n{lines}")


@dataclass(frozen=True, slots=True)
class Variable:
    """One variable.

    Args:
        name: Its name in the environment.
        meaning: One sentence for the operator.
        example: The value in ``.env.example``. Also the default of `number` and `one_of`.
        is_secret: Whether its value must never appear in a message.
        range: The least and the greatest number, for `number`.
        has_lines: Whether its value may have several lines, as a key in PEM has.
    """

    name: str
    meaning: str
    example: str = ""
    is_secret: bool = False
    range: tuple[int, int] = (0, 0)
    has_lines: bool = False


_COMMON = ("client_id", "client_secret", "trusted_domains")

#: Identity providers that the environment can name, each with its options, in the order of their buttons.
PROVIDERS: Mapping[str, tuple[str, ...]] = {
    "google": _COMMON,
    "microsoft": ("client_id", "client_secret", "tenant"),
    "apple": ("client_id", "team_id", "key_id", "private_key", "trusted_domains"),
    "github": _COMMON,
    "gitlab": (*_COMMON, "issuer"),
    "linkedin": _COMMON,
    "openid": (*_COMMON, "issuer", "name"),
}

#: What each of these options is. The provider is named after it.
_OPTIONS = {
    "client_id": "Client id of this service at",
    "client_secret": "Client secret of this service at",
    "trusted_domains": "Domains, comma-separated, whose verified addresses find or create accounts, at",
    "tenant": "Id of the tenant at",
    "team_id": "Id of the team at",
    "key_id": "Id of the key of this service at",
    "private_key": "Private key (PEM) of this service at",
    "issuer": "Issuer of",
    "name": "What people read as the name of",
}

_TITLES = {"github": "GitHub", "gitlab": "GitLab", "linkedin": "LinkedIn", "openid": "another OpenID Connect provider"}


def _provider_variables() -> Iterator[Variable]:
    for kind, options in PROVIDERS.items():
        title = _TITLES.get(kind, kind.capitalize())
        for option in options:
            yield Variable(
                f"OAUTH_{kind.upper()}_{option.upper()}",
                f"{_OPTIONS[option]} {title}.",
                is_secret=option in ("client_secret", "private_key"),
                has_lines=option == "private_key",
            )


VARIABLES: Mapping[str, Variable] = {
    variable.name: variable
    for variable in (
        Variable("DJANGO_SETTINGS_MODULE", "The settings module.", "enterprise_auth.settings.development"),
        Variable("SECRET_KEY", "Key for signatures. At least 50 random characters.", is_secret=True),
        Variable("SECRET_KEY_FALLBACKS", "Retired secret keys that still verify, comma-separated.", is_secret=True),
        Variable(
            "FIELD_KEYS",
            "Keys of encrypted columns, `id:base64url of 32 bytes`, comma-separated, the current one first.",
            is_secret=True,
        ),
        Variable(
            "AUDIT_SIGNING_KEYS",
            "Keys that sign audit checkpoints, `id:base64url of 32 bytes`, the current one first. Only the sealer needs "
            "them. If empty, they are derived from FIELD_KEYS.",
            is_secret=True,
        ),
        Variable(
            "PUBLIC_URL",
            "Public URL of the service, at the root of a host or below a path. Links in mails begin with it. If empty,"
            " development uses http://localhost and its port.",
        ),
        Variable(
            "HSTS_SECONDS",
            "How long browsers use HTTPS only. Begin with 300, and raise it when all works. 0 sends no header.",
            "31536000",
            range=(0, 2_147_483_647),
        ),
        Variable("VAR_PATH", "Folder that the service may write to. If empty, `var` beside the code."),
        Variable("DEBUG", "Show tracebacks in the browser. Refused in production.", "false"),
        Variable("ALLOWED_HOSTS", "Host names the service answers to, comma-separated."),
        Variable("CSRF_TRUSTED_ORIGINS", "Further origins whose forms are accepted, comma-separated."),
        Variable("CORS_ALLOWED_ORIGINS", "Origins whose scripts may call the API, comma-separated."),
        Variable("TRUSTED_PROXIES", "Networks of your reverse proxies, comma-separated CIDR, or `unix` for a socket."),
        Variable(
            "DATABASE_URL",
            "postgres://user:password@host:port/name. Replaces the five variables below. With several hosts: "
            "host1:5432,host2:5432. Options of libpq may follow after a question mark.",
            is_secret=True,
        ),
        Variable("DB_NAME", "Name of the database."),
        Variable("DB_USER", "User of the database."),
        Variable("DB_PASSWORD", "Password of that user.", is_secret=True),
        Variable("DB_HOST", "Host of the database, or the directory of its socket."),
        Variable("DB_PORT", "Port of the database.", "5432"),
        Variable(
            "DB_POOLER",
            "`transaction` behind PgBouncer in that mode. Disables prepared statements and the connection pool.",
        ),
        Variable(
            "REDIS_URL",
            "Shared Redis cache: redis://, rediss:// (TLS), unix:// or redis+sentinel://. If empty, everything is read from "
            "the database.",
            is_secret=True,
        ),
        Variable(
            "REDIS_SESSION_URL", "Another Redis for session snapshots. If empty, REDIS_URL is used.", is_secret=True
        ),
        Variable("BROKER_URL", "Broker of Celery. If empty, a thread of each process sends mails.", is_secret=True),
        Variable(
            "HEARTBEAT_PATH",
            "A file that the Celery worker and beat touch every few seconds, for liveness probes. If empty, none.",
        ),
        Variable("EMAIL_HOST", "SMTP server with TLS. If empty, the relay on this machine is used."),
        Variable("EMAIL_PORT", "Port of the SMTP server.", "587", range=_PORTS),
        Variable("EMAIL_HOST_USER", "User at the SMTP server."),
        Variable("EMAIL_HOST_PASSWORD", "Password at the SMTP server.", is_secret=True),
        Variable("EMAIL_FILE_PATH", "A folder to which mails are written instead of being sent, for evaluation."),
        Variable("DEFAULT_FROM_EMAIL", "Sender of mails.", "auth@localhost"),
        Variable(
            "JWT_SIGNING_KEYS",
            "Private keys (PEM) that sign tokens, one after the other. If empty, the keys in the database.",
            is_secret=True,
            has_lines=True,
        ),
        Variable(
            "CLIENT_DOCUMENTS",
            "Which OAuth clients may have an https address as their id, with a document about themselves there: `none`,"
            " `listed` or `all`. Agents of the Model Context Protocol are such clients.",
            "none",
        ),
        Variable("CLIENT_DOCUMENT_HOSTS", "Hosts of these clients if they are `listed`, comma-separated."),
        Variable("CLIENT_DOCUMENT_SCOPES", "Scopes of resources that these clients may ask for, comma-separated."),
        Variable(
            "OUTBOUND_CA_FILE",
            "A PEM file with the certificates that vouch for other services. If empty, those that every browser knows.",
        ),
        *_provider_variables(),
        Variable(
            "SMS_BACKEND",
            "Backend for SMS: `console`, `memory`, `http`, `twilio`, or the dotted path of a class. If empty, no SMS are sent.",
        ),
        Variable(
            "SMS_HTTP_URL", "URL to which `http` posts each SMS, as JSON with `to`, `body` and `idempotency_key`."
        ),
        Variable("SMS_HTTP_TOKEN", "Bearer token for SMS_HTTP_URL.", is_secret=True),
        Variable("TWILIO_ACCOUNT_SID", "Account at Twilio: AC and 32 hexadecimal digits."),
        Variable("TWILIO_AUTH_TOKEN", "Token of that account.", is_secret=True),
        Variable("TWILIO_FROM", "Number that `twilio` sends from, or the SID of a messaging service."),
        Variable("GEOIP_PATH", "An .mmdb file with countries or cities. If empty, the built-in country table is used."),
        Variable("LOG_LEVEL", "DEBUG, INFO, WARNING or ERROR.", "INFO"),
        Variable("LOG_FORMAT", "`json` or `readable`.", "json"),
        Variable("SENTRY_DSN", "DSN to which errors are reported. If empty, none are reported.", is_secret=True),
        Variable("METRICS_TOKEN", "Bearer token for /metrics. If empty, /metrics is closed.", is_secret=True),
        Variable(
            "ADMIN_ASSURANCE",
            "Recent proof that administration requires: `aal2` (a second factor), `aal3` (a hardware key), or `none` "
            "(a login is enough).",
            "aal2",
        ),
        Variable(
            "MFA_REQUIRED_OF",
            "Users who need a second factor, comma-separated: `everyone`, `staff`, `superusers`, `group:<name>`, "
            "`roles:<key>`.",
        ),
        Variable(
            "MFA_SMS_COUNTRIES", "Countries to which SMS are sent, comma-separated, such as `CH,DE`. If empty, all."
        ),
        Variable("AUTH_PROFILE", "`default`, or `high` for ASVS Level 3.", "default"),
        Variable(
            "OAUTH_DEVICE_GRANT",
            "With `true`, applications that have the device grant sign people in on devices without a browser. People can be"
            " talked into approving the device of someone else.",
            "false",
        ),
        Variable(
            "EARLY_ANSWERS",
            "Answer the session check before Django's handler. With `false` the answers are the same, and slower.",
            "true",
        ),
        Variable("WEB_WORKERS", "Number of worker processes.", "2", range=(1, 256)),
        Variable(
            "WEB_THREADS",
            "Threads of each worker for all requests but logins.",
            "4",
            range=(1, 256),
        ),
        Variable(
            "WEB_LOGIN_THREADS",
            "Further threads of each worker, for logins and sign-ups, which hash a password. As many hashes run at once, but no"
            " more than the processors divided by WEB_WORKERS.",
            "2",
            range=(1, 256),
        ),
        Variable(
            "WEB_LOGIN_QUEUE",
            "Logins and sign-ups of each worker that may wait for one of these threads. The next one is refused with 503.",
            "64",
            range=(0, 4096),
        ),
        Variable(
            "WEB_LOGIN_WAIT",
            "Seconds that they may wait. After that they are refused, too.",
            "10",
            range=(1, 600),
        ),
    )
}


class Environment:
    """Reads variables and collects the errors.

    Args:
        values: The variables. By default those of the process.
        file: A ``.env`` file whose variables are used besides. By default the one in the root, if *values* has its
            default.
    """

    def __init__(self, values: Mapping[str, str] | None = None, *, file: Path | None = None) -> None:
        self.problems: list[str] = []
        if values is None:
            values, file = os.environ, ROOT / ".env"
        self._values = self._merged(values, self._from_dotenv(file)) if file else values

    def text(self, name: str, default: str = "") -> str:
        """Return the value of *name*, from the variable or from the file that ``NAME_FILE`` names.

        Spaces and line ends around the value are removed: many editors and commands add one.
        """
        value, path = self._values.get(name, "").strip(), self._values.get(f"{name}_FILE", "").strip()
        if value and path:
            self._add(f"{name} and {name}_FILE are both set. Remove one of them.")
        if path:
            value = self._from_file(name, path)
        if not VARIABLES[name].has_lines and not value.isprintable():
            self.wrong(name, "contains a line end or another control character")
            return default
        return value or default

    def many(self, name: str) -> list[str]:
        """Return the comma-separated values of *name*."""
        return [part.strip() for part in self.text(name).split(",") if part.strip()]

    def number(self, name: str) -> int:
        """Return the whole number in *name*, or its example. It must be within the range of the variable."""
        text, (least, most) = self.text(name, VARIABLES[name].example), VARIABLES[name].range
        if not (text.isascii() and text.isdigit() and least <= int(text[:_DIGITS]) <= most and len(text) <= _DIGITS):
            self.wrong(name, f"must be a whole number from {least} to {most}")
            return least
        return int(text)

    def flag(self, name: str) -> bool:
        """Return whether *name* is enabled."""
        text = self.text(name, "false").lower()
        if text not in ("true", "false", "1", "0", "yes", "no", "on", "off"):
            self.wrong(name, "must be true or false")
        return text in ("true", "1", "yes", "on")

    def one_of(self, name: str, *allowed: str) -> str:
        """Return the value of *name*, which must be one of *allowed*, in upper or lower case."""
        text = self.text(name, VARIABLES[name].example)
        for value in allowed:
            if value.lower() == text.lower():
                return value
        self.wrong(name, f"must be one of {', '.join(filter(None, allowed))}")
        return allowed[0]

    def keys(self, name: str) -> dict[str, str]:
        """Return ``id:value`` pairs, in their order."""
        pairs = [part.partition(":") for part in self.many(name)]
        if any(not key_id or not value for key_id, _colon, value in pairs):
            self.wrong(name, "must be `id:base64url of 32 bytes`, comma-separated")
            return {}
        if len({key_id for key_id, _colon, _value in pairs}) < len(pairs):
            self.wrong(name, "contains two keys with the same id")
        return {key_id: value for key_id, _colon, value in pairs}

    def wrong(self, name: str, what: str) -> None:
        """Record that *name* is wrong. The value is not repeated, because it may be a secret."""
        self._add(f"{name} {what}. {VARIABLES[name].meaning}")

    def demand(self, name: str, is_good: Callable[[str], bool], what: str) -> str:
        """Return the value of *name*, which must be set and valid."""
        text = self.text(name)
        if not text:
            self.wrong(name, "is missing")
        elif not is_good(text):
            self.wrong(name, what)
        return text

    def seal(self) -> None:
        """Stop if there are errors.

        Raises:
            InvalidEnvironment: Lists all errors.
        """
        if self.problems:
            raise InvalidEnvironment(self.problems)

    def _add(self, problem: str) -> None:
        """Add a problem, once. Settings modules read some variables several times."""
        if problem not in self.problems:
            self.problems.append(problem)

    def _from_file(self, name: str, path: str) -> str:
        try:
            value = Path(path).read_text(encoding="utf-8-sig").strip()
        except (OSError, ValueError):  # missing, unreadable, a folder, or not UTF-8
            self._add(f"The file in {name}_FILE cannot be read. It must be a text file that this process may read.")
            return ""
        if not value:
            self._add(f"The file in {name}_FILE is empty. Write the value into it, or remove {name}_FILE.")
        return value

    def _merged(self, real: Mapping[str, str], of_file: Mapping[str, str]) -> dict[str, str]:
        """Return *real* merged over *of_file*. A variable also replaces its ``NAME_FILE``, and the reverse."""
        replaced = {name.removesuffix("_FILE") for name, value in real.items() if value}
        kept = {name: value for name, value in of_file.items() if name.removesuffix("_FILE") not in replaced}
        return {**kept, **real}

    def _from_dotenv(self, path: Path) -> dict[str, str]:
        """Return the variables in a ``.env`` file. Values are taken literally: ``$`` refers to no other variable."""
        try:
            text = path.read_text(encoding="utf-8-sig")
        except FileNotFoundError:
            return {}
        except (OSError, ValueError):
            self._add(".env cannot be read. It must be a text file in UTF-8 that this process may read.")
            return {}
        bindings = list(parse_stream(StringIO(text)))
        if lines := [str(binding.original.line) for binding in bindings if binding.error]:
            self._add(f".env cannot be read at line {', '.join(lines)}. Write NAME=value, or NAME='value with spaces'.")
        return {binding.key: binding.value or "" for binding in bindings if binding.key}


def use_settings(module: str) -> None:
    """Use the settings in *module*, unless the environment names another module."""
    settings_module = Environment().text("DJANGO_SETTINGS_MODULE", module)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", settings_module)


def ignore_copied_broker() -> None:
    """Let the settings name the broker, also in processes of Celery's command line.

    The command line copies ``BROKER_URL`` to ``CELERY_BROKER_URL``, which Celery prefers to the settings. It knows no
    ``unix://`` or ``redis+sentinel://``.
    """
    if os.environ.get("CELERY_BROKER_URL") == os.environ.get("BROKER_URL"):
        os.environ.pop("CELERY_BROKER_URL", None)


def example() -> str:
    """Return the text of ``.env.example``."""
    head = "# Every variable that this service reads. The real environment overrides this file.\n"
    head += "# Each can also be set as NAME_FILE, the path of a file that contains the value.\n"
    return head + "".join(
        f"\n# {variable.meaning}\n{name}={variable.example}\n" for name, variable in VARIABLES.items()
    )
