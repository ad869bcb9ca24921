"""The applications of docs/openid-connect.md, made from its blocks, and a site in Node that can do more."""

import os
import shlex
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from auth_core.testing.readme import blocks
from guests.packages import ROOT
from oauth_clients.installation import node, node_with_openid_client, python_with_authlib
from oauth_clients.processes import HOST, run_script, running

GUIDE = ROOT / "docs/openid-connect.md"

#: What the guide is written for: the service, and the ports of the two applications.
_ISSUER, _DJANGO_PORT, _NODE_PORT = "http://localhost:8000", "8001", "8002"


class Guide:
    """The blocks of the guide, for other addresses than those that it names.

    Args:
        issuer: The address of the service.
        port: The port of the application.
    """

    def __init__(self, *, issuer: str, port: int) -> None:
        self._replaced = {_ISSUER: issuer, f":{_DJANGO_PORT}": f":{port}", f"({_NODE_PORT},": f"({port},"}
        self._replaced[f":{_NODE_PORT}"] = f":{port}"

    def block(self, kind: str, **values: str) -> str:
        """Return a block with the addresses and *values* filled in, each of which it has."""
        (text,) = blocks(GUIDE, kind)
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
def node_application(
    guide: Guide, *, port: int, folder: Path, client_id: str, client_secret: str, **environment: str
) -> Iterator[str]:
    """Run the Node application of the guide, and yield its address."""
    application = guide.block("js app.mjs", client_id=client_id, client_secret=client_secret)
    (folder / "app.mjs").write_text(application)
    (folder / "node_modules").symlink_to(node_with_openid_client() / "node_modules")
    program, *arguments = shlex.split(guide.block("sh run-node"))
    assert program == "node"
    with running([*node(), *arguments], port=port, folder=folder, **environment):
        yield f"http://{HOST}:{port}/"


@contextmanager
def node_site(
    *, port: int, folder: Path, issuer: str, client_id: str, client_secret: str, **environment: str
) -> Iterator[str]:
    """Run the site of node/site.mjs, and yield its address."""
    shutil.copy(Path(__file__).parent / "node/site.mjs", folder)
    (folder / "node_modules").symlink_to(node_with_openid_client() / "node_modules")
    own = {"ISSUER": issuer, "CLIENT_ID": client_id, "CLIENT_SECRET": client_secret, "PORT": str(port)}
    with running([*node(), "site.mjs"], port=port, folder=folder, **own, **environment):
        yield f"http://{HOST}:{port}/"
