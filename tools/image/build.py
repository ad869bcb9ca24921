"""Runs the steps of a Dockerfile on top of this machine's files."""

import os
import re
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from image.dockerfile import Stage, Step, context_files, read_stages, variables
from image.host import PYTHON, find_python
from image.sandbox import Sandbox

#: Variables of this machine with which pip finds its index. They are no part of the image.
_INDEX_VARIABLES = re.compile(r"PIP_.*|(https?|no)_proxy|SSL_CERT_.*|REQUESTS_CA_BUNDLE", re.IGNORECASE)


class BuildFailed(Exception):
    """A step failed. The message is the step."""


@dataclass(slots=True)
class Image:
    """A built image.

    Args:
        layers: Its files, the uppermost layer first.
        environment: Its variables.
        folder: Its working folder.
        user: Its user, as ``uid:gid``.
        command: Its command.
    """

    layers: list[Path]
    environment: dict[str, str] = field(default_factory=dict)
    folder: str = "/"
    user: str = ""
    command: list[str] = field(default_factory=list)


def build(root: Path, scratch: Path) -> Image:
    """Build project/Dockerfile of the repository at *root*, with its layers in *scratch*.

    Raises:
        BuildFailed: a step failed.
    """
    tracked = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"], cwd=root, check=True, capture_output=True, text=True
    ).stdout.splitlines()  # fmt: skip
    context = context_files(root, [name for name in tracked if (root / name).is_file()])
    base, images = _base_layer(scratch), dict[str, Image]()
    for stage in read_stages(root / "project/Dockerfile"):
        images[stage.name] = _build_stage(stage, root, context, images, base, scratch / f"stage-{len(images)}")
    return images[""]


def _build_stage(
    stage: Stage, root: Path, context: Sequence[str], images: dict[str, Image], base: Path, layer: Path
) -> Image:
    layer.mkdir()
    path = "/usr/local/bin:/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin"
    image = Image([layer, base], {"PATH": path}, user=stage.user, command=stage.words("CMD"))
    for step in stage.steps:
        match step.name:
            case "ENV" | "ARG":
                # The value of an ARG ends with its stage. None of ours is in the last one.
                image.environment |= variables(step.text, image.environment)
            case "WORKDIR":
                image.folder = step.text
                _inside(layer, step.text).mkdir(parents=True, exist_ok=True)
            case "COPY":
                _copy(step, image, root, context, images)
            case "RUN":
                _run(step, image)
    return image


def _run(step: Step, image: Image) -> None:
    print(f"--- RUN {' '.join(step.text.split())}", flush=True)
    index = {name: value for name, value in os.environ.items() if _INDEX_VARIABLES.fullmatch(name)}
    sandbox = Sandbox(layers=image.layers[1:], writes=image.layers[0], temporary=["/tmp"])  # noqa: S108 - inside the sandbox
    environment = {"HOME": "/root", **index, **image.environment}
    if sandbox.start(["sh", "-euc", step.text], environment=environment, folder=image.folder).wait() != 0:
        raise BuildFailed(step.text)


def _copy(step: Step, image: Image, root: Path, context: Sequence[str], images: dict[str, Image]) -> None:
    """Copy from the context or from an earlier stage. The content of a folder is copied, not the folder itself."""
    *sources, target = step.text.split()
    to = _inside(image.layers[0], str(Path(image.folder) / target))
    if sources[0].startswith("--from="):
        shutil.copytree(_inside(images[sources[0].partition("=")[2]].layers[0], sources[1]), to, symlinks=True)
        return
    for source in sources:
        names = [name for name in context if name == source or name.startswith(f"{source}/")]
        if not names:
            raise BuildFailed(f"COPY {source}: the context has no such file")
        for name in names:
            path = to / (Path(name).name if name == source else Path(name).relative_to(source))
            path.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(root / name, path)


def _base_layer(scratch: Path) -> Path:
    """Return a layer with what the base image has and this machine lacks: ``python`` in the version of its tag.

    Raises:
        BuildFailed: this machine has no such interpreter.
    """
    layer = scratch / "base"
    python = find_python()
    if python is None:
        raise BuildFailed(f"FROM: Python {PYTHON} was not found")
    for name in ("python", "python3"):
        link = _inside(layer, f"/usr/local/bin/{name}")
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(python)
    # An interpreter in the home of root must be readable for the user of the image.
    for folder in python.parents:
        if not folder.stat().st_mode & 0o001:
            _inside(layer, str(folder)).mkdir(parents=True, exist_ok=True)
            _inside(layer, str(folder)).chmod(0o755)
    return layer


def _inside(layer: Path, path: str) -> Path:
    return layer / path.lstrip("/")
