"""A Redis with a separate path for each node, which can be disconnected from one node and failed over."""

import time
from pathlib import Path
from typing import Any, Self

from auth_core.testing.redis import OwnRedis
from live.service import free_port


class Redises:
    """A master and a replica. Each node reaches the master through a symbolic link that can be removed.

    Args:
        folder: The folder of the links. Its path must be short, because a socket path has at most 107 characters.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._ports = [free_port(), free_port()]
        self._servers = [
            OwnRedis("--port", str(port), "--bind", "127.0.0.1", "--repl-diskless-sync-delay", "0")
            for port in self._ports
        ]
        self._master = 0

    @property
    def master(self) -> OwnRedis:
        """The server for writes."""
        return self._servers[self._master]

    @property
    def replica(self) -> OwnRedis:
        """The server that replicates the master."""
        return self._servers[1 - self._master]

    def url_of(self, node: str) -> str:
        """Return the URL of the master for *node*."""
        self._point(node)
        return f"unix://{self._link(node)}?client_name={node}"

    def start(self) -> None:
        """Start both servers and the replication."""
        for server in self._servers:
            server.start()
        self._copy()

    def stop(self) -> None:
        """Stop both servers."""
        for server in self._servers:
            server.kill()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *raised: object) -> None:
        for server in self._servers:
            server.__exit__(None, None, None)

    def pull(self, node: str) -> None:
        """Disconnect *node*, including its open connections."""
        self._link(node).unlink(missing_ok=True)
        clients: list[dict[str, Any]] = self.master.client.client_list()
        for client in clients:
            if client["name"] == node:
                self.master.client.client_kill_filter(_id=client["id"])

    def plug(self, node: str) -> None:
        """Reconnect *node* to the master."""
        self._point(node)

    def cut_the_copy(self) -> None:
        """Stop the replication once the replica is current. Later writes are lost in a failover."""
        self.master.client.wait(1, 2000)
        self.replica.client.execute_command("REPLICAOF", "NO", "ONE")

    def fail_over(self, *nodes: str) -> None:
        """Kill the master. The replica with its data becomes the master for *nodes*."""
        lost = self.master
        self._master = 1 - self._master
        for node in nodes:
            self._point(node)
        lost.kill()

    def heal(self) -> None:
        """Start the lost server, empty, as replica of the remaining one."""
        self.replica.start()
        self._copy()

    def _copy(self) -> None:
        port = self._ports[self._master]
        self.replica.client.execute_command("REPLICAOF", "127.0.0.1", port)
        for _attempt in range(200):
            if self.replica.client.info("replication").get("master_link_status") == "up":
                return
            time.sleep(0.05)
        raise TimeoutError("The replica does not replicate.")

    def _link(self, node: str) -> Path:
        return self._folder / f"{node}.sock"

    def _point(self, node: str) -> None:
        """Point the link of *node* to the master atomically."""
        fresh = self._folder / f"{node}.new"
        fresh.unlink(missing_ok=True)
        fresh.symlink_to(self.master.url.removeprefix("unix://"))
        fresh.replace(self._link(node))
