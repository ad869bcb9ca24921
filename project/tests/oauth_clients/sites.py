"""The applications of the two guides, made from their blocks, and sites in Node that can do more."""

import json
import os
import shlex
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from auth_core.testing.readme import blocks
from guests.packages import ROOT
from oauth_clients.installation import node, node_with_clients, python_with_authlib, python_with_mcp
from oauth_clients.processes import HOST, run_script, running

LOGINS, BROWSERS = ROOT / "docs/openid-connect.md", ROOT / "docs/browser-applications.md"
AGENTS = ROOT / "docs/mcp.md"


#: What the guides are written for: the service, and the ports of the applications.
_ISSUER, _PORTS = "http://localhost:8000", ("8001", "8002", "8003")


class Guide:
    """The blocks of a guide, for other addresses than those that it names.

    Args:
        issuer: The address of the service.
        port: The port of the application.
        page: The guide.
    """

    def __init__(self, *, issuer: str, port: int, page: Path = LOGINS) -> None:
        self._page = page
        self._replaced = {_ISSUER: issuer}
        for written in _PORTS:
            # In an address, as the argument of a function, and as that of a command.
            self._replaced |= {f":{written}": f":{port}", f"({written},": f"({port},", f" {written} ": f" {port} "}
            self._replaced[f"--port {written}"] = f"--port {port}"

    def block(self, kind: str, **values: str) -> str:
        """Return a block with the addresses and *values* filled in, each of which it has."""
        (text,) = blocks(self._page, kind)
        for name, value in values.items():
            assert f"<{name}>" in text, kind
            text = text.replace(f"<{name}>", value)
        for written, replaced in self._replaced.items():
            text = text.replace(written, replaced)
        return text

    def registration(self, kind: str) -> list[str]:
        """Return the arguments of ``./dev manage`` in a block."""
        program, chore, *arguments = shlex.split(self.block(kind).replace("\\\n", ""))
        assert (program, chore) == ("./dev", "manage")
        return arguments


@contextmanager
def django_site(
    guide: Guide, *, port: int, folder: Path, client_id: str, client_secret: str, **environment: str
) -> Iterator[str]:
    """Run the Django application of the guide, and yield its address.

    Args:
        environment: Variables of its processes, such as the certificate of the service.
    """
    python = python_with_authlib()
    path = os.pathsep.join([str(python.parent), os.environ["PATH"]])
    _installation, start = guide.block("sh django").splitlines()
    # Installed before, at the same pinned versions.
    run_script(start, folder=folder, PATH=path)
    settings = folder / "shop/settings.py"
    more = guide.block("python shop/settings.py", client_id=client_id, client_secret=client_secret)
    settings.write_text(f"{settings.read_text()}\n{more}")
    (folder / "shop/urls.py").write_text(guide.block("python shop/urls.py"))
    migrate, serve = guide.block("sh run-django").splitlines()
    run_script(migrate, folder=folder, PATH=path)
    command = [*shlex.split(serve), "--noreload"]
    with running(command, port=port, folder=folder, **{"PATH": path, **environment}):
        yield f"http://{HOST}:{port}/"


@contextmanager
def mcp_server(guide: Guide, *, port: int, folder: Path, certificate: Path) -> Iterator[str]:
    """Run the MCP server of its guide, and yield its address.

    Args:
        certificate: That of the service, which the guide runs without TLS.
    """
    path = os.pathsep.join([str(python_with_mcp().parent), os.environ["PATH"]])
    _installation, start = guide.block("sh install").splitlines()
    run_script(start, folder=folder, PATH=path)
    settings = folder / "notes/settings.py"
    own = f'AUTH_CORE["OUTBOUND_CA_FILE"] = {str(certificate)!r}\n'
    settings.write_text(f"{settings.read_text()}\n{guide.block('python notes/settings.py')}{own}")
    for name in ("urls", "tools", "asgi"):
        (folder / f"notes/{name}.py").write_text(guide.block(f"python notes/{name}.py"))
    run_script("python manage.py check --fail-level WARNING", folder=folder, PATH=path)
    with running(shlex.split(guide.block("sh run")), port=port, folder=folder, PATH=path):
        yield f"http://{HOST}:{port}/mcp"


@contextmanager
def node_mcp_server(guide: Guide, *, port: int, folder: Path, certificate: Path, **credentials: str) -> Iterator[str]:
    """Run the MCP server in Node of its guide, and yield its address.

    Args:
        certificate: That of the service, which the guide runs without TLS.
        credentials: With a client id and a secret it introspects tokens. Otherwise it verifies them with public keys.
    """
    installed = node_with_clients()
    pins = json.loads((installed / "package.json").read_text())["dependencies"]
    _npm, _install, *named = guide.block("sh install-node").split()
    assert set(named) <= {f"{name}@{version}" for name, version in pins.items()}, "the guide has the tested versions"
    tokens = "tokens-by-introspection" if credentials else "tokens"
    (folder / "tokens.mjs").write_text(guide.block(f"js {tokens}.mjs", **credentials))
    (folder / "server.mjs").write_text(guide.block("js server.mjs"))
    (folder / "node_modules").symlink_to(installed / "node_modules")
    program, *arguments = shlex.split(guide.block("sh run-node"))
    assert program == "node"
    trusted = {"NODE_EXTRA_CA_CERTS": str(certificate)}
    with running([*node(), *arguments], port=port, folder=folder, **trusted):
        yield f"http://{HOST}:{port}/mcp"


@contextmanager
def node_application(
    guide: Guide, *, port: int, folder: Path, client_id: str, client_secret: str, **environment: str
) -> Iterator[str]:
    """Run the Node application of the guide, and yield its address."""
    application = guide.block("js app.mjs", client_id=client_id, client_secret=client_secret)
    (folder / "app.mjs").write_text(application)
    (folder / "node_modules").symlink_to(node_with_clients() / "node_modules")
    program, *arguments = shlex.split(guide.block("sh run-node"))
    assert program == "node"
    with running([*node(), *arguments], port=port, folder=folder, **environment):
        yield f"http://{HOST}:{port}/"


@contextmanager
def node_site(
    *, port: int, folder: Path, issuer: str, client_id: str, script: str = "site.mjs", **environment: str
) -> Iterator[str]:
    """Run a site of the folder node, and yield its address.

    Args:
        environment: Variables of the script, such as CLIENT_SECRET.
    """
    for name in (script, "keys.mjs"):
        shutil.copy(Path(__file__).parent / "node" / name, folder)
    (folder / "node_modules").symlink_to(node_with_clients() / "node_modules")
    own = {"ISSUER": issuer, "CLIENT_ID": client_id, "PORT": str(port)}
    with running([*node(), script], port=port, folder=folder, **own, **environment):
        yield f"http://{HOST}:{port}/"


@contextmanager
def single_page_application(guide: Guide, *, port: int, folder: Path, client_id: str) -> Iterator[str]:
    """Serve the single-page application of the guide, and yield its address."""
    (folder / "index.html").write_text(guide.block("html index.html"))
    (folder / "app.js").write_text(guide.block("js app.js", client_id=client_id))
    (folder / "node_modules").symlink_to(node_with_clients() / "node_modules")
    with running(shlex.split(guide.block("sh run-spa")), port=port, folder=folder):
        yield f"http://{HOST}:{port}/"
