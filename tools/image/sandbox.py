"""Runs commands as a container would: with a root file system of layers, its own user and no capabilities.

It uses what container engines use: mount namespaces and overlay file systems. It needs root.
"""

import shlex
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

#: This machine's files replace those of the base images.
BASE = Path("/")


@dataclass(slots=True)
class Sandbox:
    """A root file system.

    Args:
        layers: The folders of its files, the uppermost first, without those of this machine below them.
        writes: The folder that takes its changes. ``None`` for a read-only file system.
        binds: Folders and files of this machine, by their path inside.
        temporary: Paths of empty folders in memory, which any user may write.
        user: ``uid:gid``. Empty for root with all capabilities, as in a build.
    """

    layers: Sequence[Path]
    writes: Path | None = None
    binds: Mapping[str, Path] = field(default_factory=dict)
    temporary: Sequence[str] = ()
    user: str = ""

    def start(
        self,
        command: Sequence[str],
        *,
        environment: Mapping[str, str],
        folder: str = "/",
        output: IO[str] | None = None,
    ) -> "subprocess.Popen[str]":
        """Start *command* in *folder*. The process that is returned becomes the command."""
        # Mounted in the namespace of the command only. Outside it stays empty.
        root = Path(tempfile.mkdtemp(prefix="sandbox-"))
        lines = [*self._mounts(root), shlex.join(["exec", *self._entry(root, folder, environment), *command])]
        return subprocess.Popen(
            ["unshare", "--mount", "sh", "-euc", "\n".join(lines)],
            stdout=output, stderr=subprocess.STDOUT if output else None, text=True, stdin=subprocess.DEVNULL,
        )  # fmt: skip

    def _mounts(self, root: Path) -> list[str]:
        options = f"lowerdir={':'.join(map(str, [*self.layers, BASE]))}"
        if self.writes is not None:
            # The working folder must be in the file system of the changes.
            work = self.writes.with_name(f"{self.writes.name}.work")
            work.mkdir(exist_ok=True)
            options += f",upperdir={self.writes},workdir={work}"
        lines = [
            "mount --make-rprivate /",
            f"mount -t overlay overlay -o {shlex.quote(options)} {root}",
            f"mount -t proc proc {root}/proc",
            f"mount --rbind /dev {root}/dev",
        ]
        lines += [f"mount -t tmpfs -o mode=1777 tmpfs {root}{path.partition(':')[0]}" for path in self.temporary]
        return lines + [f"mount --bind {source} {root}{path}" for path, source in self.binds.items()]

    def _entry(self, root: Path, folder: str, environment: Mapping[str, str]) -> list[str]:
        words = ["chroot", str(root)]
        if self.user:
            user, _colon, group = self.user.partition(":")
            words += ["setpriv", f"--reuid={user}", f"--regid={group}", "--clear-groups", "--bounding-set=-all",
                      "--inh-caps=-all", "--no-new-privs"]  # fmt: skip
        return [*words, "env", "--ignore-environment", f"--chdir={folder}",
                *(f"{name}={value}" for name, value in environment.items())]  # fmt: skip
