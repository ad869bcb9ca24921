"""The environment: its only reader.

Every variable is declared here, with its meaning; ``.env.example`` is generated from
the list. The real environment comes before ``.env``, and ``NAME_FILE`` names a file
that holds the value (Docker and Kubernetes secrets).
"""

import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from dotenv import dotenv_values

ROOT = Path(__file__).resolve().parents[2]


class InvalidEnvironment(Exception):
    """Variables that are missing, weak or malformed; all of them in one message."""

    def __init__(self, problems: list[str]) -> None:
        self.problems = problems
        told = "\n".join(f"  - {problem}" for problem in problems)
        super().__init__(f"The service does not start: {len(problems)} settings are wrong.\n{told}")


@dataclass(frozen=True, slots=True)
class Variable:
    """One variable.

    Args:
        name: As in the environment.
        meaning: One sentence for the operator.
        example: What ``.env.example`` shows; also the default, where `default` is not given.
        is_secret: Its value never appears in a message.
    """

    name: str
    meaning: str
    example: str = ""
    is_secret: bool = False


def _provider_variables() -> Iterator[Variable]:
    for provider in ("GOOGLE", "GITHUB", "MICROSOFT"):
        title = provider.capitalize()
        yield Variable(f"OAUTH_{provider}_CLIENT_ID", f"Client id that {title} gave this service.")
        yield Variable(
            f"OAUTH_{provider}_CLIENT_SECRET", f"Client secret that {title} gave this service.", is_secret=True
        )


VARIABLES: Mapping[str, Variable] = {
    variable.name: variable
    for variable in (
        Variable("DJANGO_SETTINGS_MODULE", "Which settings to run on.", "enterprise_auth.settings.development"),
        Variable("SECRET_KEY", "Signs what leaves the house; at least 50 random characters.", is_secret=True),
        Variable("SECRET_KEY_FALLBACKS", "Former secret keys, comma-separated; they still verify.", is_secret=True),
        Variable(
            "FIELD_KEYS",
            "Keys of encrypted columns, `id:base64url of 32 bytes`, comma-separated, the current one first.",
            is_secret=True,
        ),
        Variable(
            "AUDIT_SIGNING_KEYS",
            "Keys that sign checkpoints of the trail, `id:base64url of 32 bytes`, the current one first; for the sealer "
            "alone. Empty: derived from FIELD_KEYS.",
            is_secret=True,
        ),
        Variable(
            "PUBLIC_URL", "Where people reach the service; links in mails begin with it.", "http://127.0.0.1:8000"
        ),
        Variable("DEBUG", "Show tracebacks in the browser; refused in production.", "false"),
        Variable("ALLOWED_HOSTS", "Host names the service answers to, comma-separated."),
        Variable("CSRF_TRUSTED_ORIGINS", "Further origins whose forms are taken, comma-separated."),
        Variable("CORS_ALLOWED_ORIGINS", "Origins whose scripts may call the API, comma-separated."),
        Variable("TRUSTED_PROXIES", "Networks of our own reverse proxies, comma-separated CIDR; `unix` for a socket."),
        Variable("DATABASE_URL", "postgres://user:password@host:port/name; instead of the five below.", is_secret=True),
        Variable("DB_NAME", "Name of the database."),
        Variable("DB_USER", "User of the database."),
        Variable("DB_PASSWORD", "Password of that user.", is_secret=True),
        Variable("DB_HOST", "Host of the database, or the directory of its socket."),
        Variable("DB_PORT", "Port of the database.", "5432"),
        Variable(
            "DB_POOLER", "`transaction` behind PgBouncer in that mode: no prepared statements, no pool of our own."
        ),
        Variable("REDIS_URL", "Shared cache; empty: everything comes from the database.", is_secret=True),
        Variable("REDIS_SESSION_URL", "Another Redis for session snapshots; empty: the same.", is_secret=True),
        Variable(
            "BROKER_URL", "Celery's broker; empty: mails are relayed by a thread of each process.", is_secret=True
        ),
        Variable("EMAIL_HOST", "SMTP server, spoken to over TLS; empty: the relay on this machine."),
        Variable("EMAIL_PORT", "Port of the SMTP server.", "587"),
        Variable("EMAIL_HOST_USER", "User at the SMTP server."),
        Variable("EMAIL_HOST_PASSWORD", "Password at the SMTP server.", is_secret=True),
        Variable("EMAIL_FILE_PATH", "A folder into which mails are written instead of sent; for trying out."),
        Variable("DEFAULT_FROM_EMAIL", "Sender of our mails.", "auth@localhost"),
        Variable("JWT_SIGNING_KEY", "Private key (PEM) that signs tokens.", is_secret=True),
        *_provider_variables(),
        Variable(
            "SMS_BACKEND",
            "What sends SMS: `console`, `memory`, `http`, `twilio`, or the dotted path of a class; empty: none are sent.",
        ),
        Variable("SMS_HTTP_URL", "Where `http` posts each text, as JSON with `to`, `body` and `idempotency_key`."),
        Variable("SMS_HTTP_TOKEN", "Bearer token that `http` sends with it.", is_secret=True),
        Variable("TWILIO_ACCOUNT_SID", "Account at Twilio: AC and 32 hexadecimal digits."),
        Variable("TWILIO_AUTH_TOKEN", "Token of that account.", is_secret=True),
        Variable("TWILIO_FROM", "Number that `twilio` sends from, or the SID of a messaging service."),
        Variable("GEOIP_PATH", "An .mmdb file with countries or cities; empty: the built-in country table."),
        Variable("LOG_LEVEL", "DEBUG, INFO, WARNING or ERROR.", "INFO"),
        Variable("LOG_FORMAT", "`json` or `readable`.", "json"),
        Variable("SENTRY_DSN", "Where errors are reported; empty: nowhere.", is_secret=True),
        Variable("METRICS_TOKEN", "Bearer token for /metrics; empty: closed.", is_secret=True),
        Variable(
            "ADMIN_ASSURANCE",
            "What administrators must have proved lately: `aal2` (a second factor), `aal3` (a hardware key), or `none` "
            "(being signed in is enough).",
            "aal2",
        ),
        Variable(
            "MFA_REQUIRED_OF",
            "Who must have a second factor, comma-separated: `everyone`, `staff`, `superusers`, `group:<name>`, "
            "`roles:<key>`.",
        ),
        Variable(
            "MFA_SMS_COUNTRIES", "Countries whose numbers get texts, comma-separated, such as `CH,DE`; empty: all."
        ),
        Variable("AUTH_PROFILE", "`default`, or `high` for ASVS Level 3.", "default"),
        Variable("WEB_WORKERS", "Worker processes of the server.", "2"),
        Variable(
            "WEB_THREADS",
            "Threads of each worker; no more than database connections of its pool. All but one may hash passwords at once.",
            "4",
        ),
    )
}


class Environment:
    """What the environment says, and what is wrong with it."""

    def __init__(self, values: Mapping[str, str] | None = None) -> None:
        self._values = _read() if values is None else values
        self.problems: list[str] = []

    def text(self, name: str, default: str = "") -> str:
        """Return the value of *name*, from itself or from the file that ``NAME_FILE`` names."""
        variable = VARIABLES[name]
        if path := self._values.get(f"{name}_FILE", ""):
            return self._from_file(name, path)
        return self._values.get(variable.name, "") or default

    def many(self, name: str) -> list[str]:
        """Return the comma-separated values of *name*."""
        return [part.strip() for part in self.text(name).split(",") if part.strip()]

    def number(self, name: str) -> int:
        """Return the whole number that *name* holds, or its example."""
        text = self.text(name, VARIABLES[name].example)
        if not text.isascii() or not text.isdigit():
            self.wrong(name, "is not a whole number")
            return 1
        return int(text)

    def flag(self, name: str) -> bool:
        """Say whether *name* is switched on."""
        text = self.text(name, "false").lower()
        if text not in ("true", "false", "1", "0", "yes", "no", "on", "off"):
            self.wrong(name, "is neither true nor false")
        return text in ("true", "1", "yes", "on")

    def one_of(self, name: str, *allowed: str) -> str:
        """Return the value of *name*, which is one of *allowed*."""
        text = self.text(name, VARIABLES[name].example)
        if text not in allowed:
            self.wrong(name, f"is none of {', '.join(filter(None, allowed))}")
            return allowed[0]
        return text

    def keys(self, name: str) -> dict[str, str]:
        """Return ``id:value`` pairs, in their order."""
        pairs = [part.partition(":") for part in self.many(name)]
        if any(not key_id or not value for key_id, _colon, value in pairs):
            self.wrong(name, "is not `id:base64url of 32 bytes`, comma-separated")
            return {}
        return {key_id: value for key_id, _colon, value in pairs}

    def wrong(self, name: str, what: str) -> None:
        """Note that *name* is wrong; the value is never repeated, it may be a secret."""
        self.problems.append(f"{name} {what}. {VARIABLES[name].meaning}")

    def demand(self, name: str, is_good: Callable[[str], bool], what: str) -> str:
        """Return the value of *name*, which must be there and good."""
        text = self.text(name)
        if not text:
            self.wrong(name, "is missing")
        elif not is_good(text):
            self.wrong(name, what)
        return text

    def seal(self) -> None:
        """Stop here if anything is wrong.

        Raises:
            InvalidEnvironment: with everything that is.
        """
        if self.problems:
            raise InvalidEnvironment(self.problems)

    def _from_file(self, name: str, path: str) -> str:
        try:
            return Path(path).read_text(encoding="utf-8").strip()
        except OSError:
            self.problems.append(f"{name}_FILE names a file that cannot be read.")
            return ""


def use_settings(module: str) -> None:
    """Run on *module* unless the environment names another."""
    named = Environment().text("DJANGO_SETTINGS_MODULE", module)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", named)


def example() -> str:
    """Return the text of ``.env.example``."""
    head = "# Every variable this service reads. The real environment comes before this file.\n"
    head += "# Each can be given as NAME_FILE, too: the path of a file that holds the value.\n"
    return head + "".join(
        f"\n# {variable.meaning}\n{name}={variable.example}\n" for name, variable in VARIABLES.items()
    )


def _read() -> dict[str, str]:
    """Return the environment over what ``.env`` says, in the root or here."""
    written = {name: value or "" for name, value in dotenv_values(ROOT / ".env").items()}
    return {**written, **os.environ}
