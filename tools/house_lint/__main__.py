"""``python -m house_lint FOLDER``: print what breaks a house rule. The status is 1 if anything does."""

import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

from house_lint.ignores import MESSAGE, unexplained
from house_lint.prose import MOST_ODD_WORDS, MOST_SEMICOLONS, Figures, figures_of
from house_lint.rooms import APPS_IN_PACKAGES, misplaced, participles, small_modules
from house_lint.rules import Finding, check_file


def main(root: Path) -> int:
    """Check every Python file that git knows, or would, below *root*."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "*.py"],
        cwd=root,
        capture_output=True,
        text=True,
        check=True,
    )
    paths = [Path(name) for name in listed.stdout.splitlines() if (root / name).exists()]
    sources = {path: (root / path).read_text(encoding="utf-8") for path in paths}
    findings = [
        *(finding for path, source in sources.items() for finding in check_file(path, source)),
        *_ignores(sources),
        *_places(paths),
        *_small_modules(sources),
        *_prose(sources),
    ]
    for finding in findings:
        print(finding)
    print(f"{len(paths)} files, {len(findings)} findings")
    return 1 if findings else 0


def _ignores(sources: dict[Path, str]) -> Iterator[Finding]:
    for path, source in sources.items():
        yield from (Finding(path, line, MESSAGE) for line in unexplained(source))


def _places(paths: list[Path]) -> Iterator[Finding]:
    packages = {Path(*path.parts[:4]) for path in paths if path.match("packages/*/src/*/__init__.py")}
    packages |= {package / app for package in packages for app in APPS_IN_PACKAGES.get(package.name, ())}
    for package in sorted(packages):
        inside = [path for path in paths if path.is_relative_to(package)]
        yield from (Finding(path, 0, message) for path, message in misplaced(package, inside))
    yield from (Finding(path, 0, message) for path, message in participles(paths))


def _small_modules(sources: dict[Path, str]) -> Iterator[Finding]:
    modules = {path: source for path, source in sources.items() if _is_module(path)}
    yield from (Finding(path, 0, message) for path, message in small_modules(modules))


def _is_module(path: Path) -> bool:
    """Return whether *path* is a module of a package or of the project, and not a test."""
    return path.parts[:2] == ("project", "enterprise_auth") or (path.parts[0] == "packages" and "src" in path.parts)


def _prose(sources: dict[Path, str]) -> Iterator[Finding]:
    """Yield a finding for each package, the project and the tools whose prose is not plain."""
    by_member: dict[Path, Figures] = defaultdict(Figures)
    for path, source in sources.items():
        if "migrations" not in path.parts and len(path.parts) > 1:
            member = Path(*path.parts[: 2 if path.parts[0] == "packages" else 1])
            by_member[member] += figures_of(source)
    for member, figures in by_member.items():
        if not figures.is_plain:
            yield Finding(
                member, 0,
                f"Docstrings and comments have {figures.odd_words_in_10000:.0f} odd words in 10,000 (at most "
                f"{MOST_ODD_WORDS}) and {figures.semicolons_in_1000:.1f} semicolons in 1,000 words (at most "
                f"{MOST_SEMICOLONS}); see house_lint.prose.",
            )  # fmt: skip


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
