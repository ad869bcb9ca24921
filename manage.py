"""Run the project's manage.py from the root."""

import runpy
from pathlib import Path

runpy.run_path(str(Path(__file__).parent / "project" / "manage.py"), run_name="__main__")
