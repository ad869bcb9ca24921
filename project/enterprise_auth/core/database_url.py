"""Reading of ``DATABASE_URL``, as libpq reads it and more tolerantly.

libpq ends the password at the first ``@`` and treats ``#``, ``?`` and ``/`` in it as the end of the address. Passwords
are generated with such characters, so here the address begins after the ``@`` from which a valid address follows.

Source: PostgreSQL documentation, section 34.1.1.2 (connection URIs).
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from urllib.parse import unquote

import psycopg.pq

FORM = "must be postgres://user:password@host:port/name"

#: Where libpq and Django's settings name the same thing.
_SETTINGS = {"host": "HOST", "port": "PORT", "user": "USER", "password": "PASSWORD", "dbname": "NAME"}

#: Options of libpq whose value is a number.
_NUMBERS = frozenset({
    "connect_timeout", "keepalives", "keepalives_idle", "keepalives_interval", "keepalives_count", "tcp_user_timeout",
})  # fmt: skip

#: Characters that separate parts of an address. An address contains them nowhere else.
_SEPARATORS = frozenset("/?#@ ")
_HIGHEST_PORT = 65_535


class InvalidUrl(Exception):
    """The URL cannot be read. The message says why and never repeats a part that may be secret."""


@dataclass(frozen=True, slots=True)
class DatabaseAddress:
    """The parts of a URL.

    Args:
        settings: Django's ``NAME``, ``USER``, ``PASSWORD``, ``HOST`` and ``PORT``. Several hosts are separated by commas.
        options: Further options of libpq.
    """

    settings: dict[str, str] = field(repr=False)
    options: dict[str, str]


def parse(url: str) -> DatabaseAddress:
    """Return the parts of *url*.

    Raises:
        InvalidUrl: it is malformed, or can be read in two ways.
    """
    scheme, _separator, rest = url.partition("://")
    if scheme not in ("postgres", "postgresql"):
        raise InvalidUrl(FORM)
    readings = list(_readings(rest))
    if len(readings) > 1:
        raise InvalidUrl("can be read in two ways: write @ / ? # in the password as %40 %2F %3F %23")
    if not readings:
        raise InvalidUrl(FORM)
    address = readings[0]
    if not address.settings["NAME"] and "service" not in address.options:
        raise InvalidUrl(f"names no database: it {FORM}")
    _check_ports(address.settings["PORT"])
    _check_options(address.options)
    return address


def _readings(rest: str) -> Iterator[DatabaseAddress]:
    """Yield each way to read a URL without its scheme: without a user, and with one before each ``@``."""
    ends = [position for position, letter in enumerate(rest) if letter == "@"]
    for end in ends:
        address = _address(rest[end + 1 :])
        if address is not None:
            user, _colon, password = rest[:end].partition(":")
            yield _with_user(address, _decoded(user), _decoded(password))
    if not ends and (address := _address(rest)) is not None:
        yield address


def _with_user(address: DatabaseAddress, user: str, password: str) -> DatabaseAddress:
    settings = {**address.settings, "USER": user or address.settings["USER"]}
    return DatabaseAddress({**settings, "PASSWORD": password or address.settings["PASSWORD"]}, address.options)


def _address(text: str) -> DatabaseAddress | None:
    """Return the reading of ``hosts/name?options``. ``None`` if it has another form."""
    before_query, _mark, query = text.partition("?")
    hosts, _slash, name = before_query.partition("/")
    pairs = [part.partition("=") for part in query.split("&")] if query else []
    # A slash in an option is common: sslrootcert=/etc/ssl/ca.pem
    if _SEPARATORS.intersection(hosts + name) or any(not key or not equals for key, equals, _value in pairs):
        return None
    options = {_decoded(key): _decoded(value) for key, _equals, value in pairs}
    if options.get("ssl") == "true":  # as libpq, for URLs of JDBC
        options = {"sslmode": "require", **options}
        del options["ssl"]
    host, port = _hosts_and_ports(hosts)
    found = {"HOST": host, "PORT": port, "USER": "", "PASSWORD": "", "NAME": _decoded(name)}
    named = {_SETTINGS[key]: value for key, value in options.items() if key in _SETTINGS}
    return DatabaseAddress({**found, **named}, {key: options[key] for key in options if key not in _SETTINGS})


def _hosts_and_ports(text: str) -> tuple[str, str]:
    """Return the hosts and their ports, each separated by commas. libpq wants as many ports as hosts, or one."""
    pairs = [_host_and_port(part) for part in text.split(",")]
    ports = [port for _host, port in pairs]
    return ",".join(host for host, _port in pairs), ",".join(ports) if any(ports) else ""


def _host_and_port(text: str) -> tuple[str, str]:
    if text.startswith("["):
        host, _bracket, rest = text[1:].partition("]")
        return host, rest.removeprefix(":")
    host, _colon, port = text.partition(":")
    return _decoded(host), port


def _decoded(text: str) -> str:
    """Return *text* with its percent escapes decoded. A percent sign that is no escape stays."""
    try:
        decoded = unquote(text, errors="strict")
    except UnicodeDecodeError:
        raise InvalidUrl("contains an escape that is not UTF-8") from None
    if "\x00" in decoded:
        raise InvalidUrl("contains %00")
    return decoded


def _check_ports(ports: str) -> None:
    for port in filter(None, ports.split(",")):
        if not (port.isascii() and port.isdigit() and 0 < int(port[:6]) <= _HIGHEST_PORT):
            raise InvalidUrl("has an invalid port. If the password contains a colon or @, write them as %3A and %40")


def _check_options(options: dict[str, str]) -> None:
    supported = {option.keyword.decode() for option in psycopg.pq.Conninfo.get_defaults()}
    if unknown := sorted(set(options) - supported):
        raise InvalidUrl(f"has options that PostgreSQL does not know: {', '.join(name[:40] for name in unknown)}")
    if wrong := sorted(
        name for name in _NUMBERS & set(options) if not options[name].isascii() or not options[name].isdigit()
    ):
        raise InvalidUrl(f"has an option that must be a whole number: {', '.join(wrong)}")
