"""Import the module under test with another text."""

import sys
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, SourceFileLoader
from importlib.util import spec_from_file_location
from types import CodeType, ModuleType


class _Loader(SourceFileLoader):
    """Loads another text than that of the file."""

    def __init__(self, name: str, path: str, source: str) -> None:
        super().__init__(name, path)
        self._source = source

    def get_code(self, fullname: str) -> CodeType:
        """Compile the other text. Neither read nor write a file of compiled code."""
        return compile(self._source, self.path, "exec", dont_inherit=True)


class _Finder(MetaPathFinder):
    """Finds the module under test, and no other one."""

    def __init__(self, name: str, path: str, source: str) -> None:
        self._name = name
        self._path = path
        self._source = source

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Return where the module under test comes from."""
        if fullname != self._name:
            return None
        return spec_from_file_location(fullname, self._path, loader=_Loader(fullname, self._path, self._source))


def install(name: str, path: str, source: str) -> None:
    """Import *source* as the module *name* of the file *path* from now on.

    Raises:
        RuntimeError: the module has been imported already.
    """
    if name in sys.modules:
        raise RuntimeError(f"{name} has been imported already.")
    sys.meta_path.insert(0, _Finder(name, path, source))
