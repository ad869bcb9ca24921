"""The picture of ``docs/architecture.md``: the rooms of each package, drawn from the imports."""

from collections.abc import Iterable

import grimp

PACKAGES = ("auth_core", "auth_mfa", "auth_rbac", "auth_sessions", "auth_audit")

#: Modules and folders that nearly every other one imports, or that only tests and Django load.
LEFT_OUT = frozenset({
    "apps", "conf", "errors", "events", "ids", "management", "migrations", "operations", "options", "registries",
    "tasks", "templatetags", "testing",
})  # fmt: skip


def draw(packages: Iterable[str] = PACKAGES) -> str:
    """Return a Mermaid flowchart of the rooms. An arrow says that one room imports another, a hidden one is implied."""
    graph = grimp.build_graph(*packages)
    lines = ["flowchart TD"]
    for package in packages:
        rooms = _rooms(graph, package)
        edges = _edges(graph, package, rooms)
        lines.append(f"    subgraph {package}")
        lines += [f"        {package}.{room}[{room}]" for room in sorted(rooms)]
        lines += [f"        {package}.{one} --> {package}.{other}" for one, other in sorted(_reduced(edges))]
        lines.append("    end")
    lines += [f"    {package} --> auth_core" for package in packages if package != "auth_core"]
    return "\n".join(lines) + "\n"


def _rooms(graph: grimp.ImportGraph, package: str) -> set[str]:
    """Return the folders of a package that are drawn."""
    folders = {child.rpartition(".")[2] for child in graph.find_children(package) if graph.find_children(child)}
    return folders - LEFT_OUT


def _edges(graph: grimp.ImportGraph, package: str, rooms: set[str]) -> set[tuple[str, str]]:
    """Return which of the *rooms* import which."""
    edges = set()
    for module in graph.find_descendants(package):
        for imported in graph.find_modules_directly_imported_by(module):
            one, other = module.split(".")[1], imported.split(".")[1] if "." in imported else ""
            if imported.startswith(f"{package}.") and one != other and {one, other} <= rooms:
                edges.add((one, other))
    return edges


def _reduced(edges: set[tuple[str, str]]) -> set[tuple[str, str]]:
    """Leave out an arrow that a path of other arrows implies."""
    return {edge for edge in edges if not _is_reached(edge[0], edge[1], edges - {edge})}


def _is_reached(start: str, end: str, edges: set[tuple[str, str]]) -> bool:
    reached, waiting = set[str](), [start]
    while waiting:
        room = waiting.pop()
        for one, other in edges:
            if one == room and other not in reached:
                reached.add(other)
                waiting.append(other)
    return end in reached
