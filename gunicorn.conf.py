"""Load the project's gunicorn.conf.py from the root."""

import runpy
from pathlib import Path

globals().update(runpy.run_path(str(Path(__file__).parent / "project" / "gunicorn.conf.py")))
