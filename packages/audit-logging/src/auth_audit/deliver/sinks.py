"""Sinks outside the database: a file, syslog, the application log.

The owner of the database cannot change what was sent there. A sink accepts lines or raises.
"""

import logging
import os
import socket
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from logging.handlers import SysLogHandler
from pathlib import Path
from typing import Any, Protocol, cast

logger = logging.getLogger("auth_audit.seal.checkpoints")

#: A sink that does not answer must not block the sealer.
_TIMEOUT_SECONDS = 5.0

_DEFAULT_PORT = 514


class SinkMisconfigured(Exception):
    """An entry of the setting SINKS is not valid."""


class Sink(Protocol):
    """A destination outside the database."""

    def send(self, lines: Sequence[str]) -> None:
        """Accept *lines*, each one JSON object.

        Raises:
            OSError: Not all lines were accepted. All of them are sent again.
        """


@dataclass(frozen=True)
class FileSink:
    """Append to a file. It should belong to another account, be on another disk, and be append-only if possible."""

    path: str

    def send(self, lines: Sequence[str]) -> None:
        """Write the lines and flush them to disk."""
        with Path(self.path).open("a", encoding="utf-8", newline="\n") as file:
            file.writelines(f"{line}\n" for line in lines)
            file.flush()
            os.fsync(file.fileno())


class _RaisingHandler(SysLogHandler):
    """A handler that raises. The library's own handler prints a failure to stderr and continues."""

    append_nul = False  # over TCP a newline ends a message (RFC 6587 section 3.4.2)

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - the library's name
        """Raise the exception that is being handled."""
        raise  # noqa: PLE0704 - called in the handler of the exception


@dataclass(frozen=True)
class SyslogSink:
    """Send to syslog, facility authpriv: to a socket's path, or to ``host:port`` over TCP or UDP."""

    address: str
    protocol: str

    def send(self, lines: Sequence[str]) -> None:
        """Send the lines one by one."""
        handler = self._handler()
        try:
            for line in lines:
                ending = "\n" if self.protocol == "tcp" and not self.address.startswith("/") else ""
                handler.emit(logging.LogRecord("auth_audit", logging.INFO, "", 0, line + ending, None, None))
        finally:
            handler.close()

    def _handler(self) -> SysLogHandler:
        facility = SysLogHandler.LOG_AUTHPRIV
        if self.address.startswith("/"):
            return _RaisingHandler(self.address, facility)
        host, _colon, port = self.address.partition(":")
        kind = socket.SOCK_STREAM if self.protocol == "tcp" else socket.SOCK_DGRAM
        handler = _RaisingHandler((host, int(port or _DEFAULT_PORT)), facility, kind)
        # The stubs of the library lack the documented attribute.
        cast(Any, handler).socket.settimeout(_TIMEOUT_SECONDS)
        return handler


@dataclass(frozen=True)
class LogSink:
    """Write to the logger ``auth_audit.seal.checkpoints``."""

    def send(self, lines: Sequence[str]) -> None:
        """Log each line."""
        for line in lines:
            logger.info("%s", line, extra={"line": line})


def make_sink(config: Mapping[str, str]) -> Sink:
    """Return the sink that an entry of the setting SINKS describes.

    Raises:
        SinkMisconfigured: The entry is not valid.
    """
    match dict(config):
        case {"kind": "file", "path": path}:
            return FileSink(path)
        case {"kind": "syslog", "address": address}:
            return SyslogSink(address, config.get("protocol", "tcp"))
        case {"kind": "log"}:
            return LogSink()
        case _:
            raise SinkMisconfigured(
                f"Unknown sink: {dict(config)}. Known kinds: file with path, syslog with address, log."
            )


def sink_problem(config: Mapping[str, str]) -> SinkMisconfigured | None:
    """Return the error in an entry of the setting SINKS, if there is one."""
    try:
        make_sink(config)
    except SinkMisconfigured as error:
        return error
    return None


def sink_name(config: Mapping[str, str]) -> str:
    """Return the name of a sink. Its position is stored under this name."""
    return ":".join(filter(None, (config.get("kind", ""), config.get("path", config.get("address", "")))))
