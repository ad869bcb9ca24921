"""``python -m house_lint FOLDER``: print what breaks a house rule; status 1 if anything does."""

import subprocess
import sys
from pathlib import Path

from house_lint.rules import check_file


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
    findings = [finding for path in paths for finding in check_file(path, (root / path).read_text(encoding="utf-8"))]
    for finding in findings:
        print(finding)
    print(f"{len(paths)} files, {len(findings)} findings")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
