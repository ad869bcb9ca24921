"""The results as JSON, as Markdown for docs/performance.md, and as a plot of the cost by size."""

import json
import platform
import re
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from harness.figures import Summary, ratio, summary
from harness.runs import CEILING, CLOSED, Series, Turns

ROOT = Path(__file__).resolve().parents[3]
PAGE = ROOT / "docs/performance.md"

_HEAD = (
    "| people | what | cell | loop | per second | product is | p50 | p95 | p99 | app | PostgreSQL | Redis | statements"
    " | commits | round trips | errors | memory |"
)
_RULE = "|" + " --- |" * 17


@dataclass(frozen=True, slots=True)
class Result:
    """One series at one size, with the memory of the largest worker in MiB."""

    people: int
    series: Series
    summary: Summary
    memory: float

    def to_json(self) -> dict[str, Any]:
        """Return the form in the file."""
        return {"people": self.people, **asdict(self.series), **asdict(self.summary), "memory_mib": self.memory}


def results_of(people: int, turns: Turns, memory: Mapping[str, float], allowed: float) -> list[Result]:
    """Return the medians of all series."""
    return [
        Result(people, series, summary(each, allowed), memory.get(series.cell, 0.0)) for series, each in turns.items()
    ]


def machine() -> dict[str, Any]:
    """Return the kind of machine, the commit and the day. No names."""
    models = re.findall(r"model name\s*: (.+)", Path("/proc/cpuinfo").read_text())
    memory = re.search(r"MemTotal:\s+(\d+)", Path("/proc/meminfo").read_text())
    commit = subprocess.run(
        ["git", "describe", "--always", "--dirty", "--exclude", "*"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    ).stdout.strip()
    return {
        "processor": models[0] if models else platform.machine(),
        "processors": len(models),
        "memory_gib": round(int(memory[1]) / 1024 / 1024) if memory else None,
        "python": platform.python_version(),
        "commit": commit,
        "day": datetime.now(tz=UTC).date().isoformat(),
    }


def product_ratio(result: Result, results: Iterable[Result]) -> float | None:
    """Return the rate of the product in units of this cell's, in the same loop and variant. A limit has one variant."""
    variant = "login" if result.series.cell == CEILING else result.series.variant
    for each in results:
        is_same = (each.series.variant, each.series.loop) == (variant, result.series.loop)
        if each.series.group == "product" and each.people == result.people and is_same:
            return ratio(each.summary.figures["rate"], result.summary.figures["rate"])
    return None


def markdown(job: str, results: Sequence[Result], options: Mapping[str, Any]) -> str:
    """Return the section of a benchmark."""
    about = machine()
    lines = [
        f"{about['processors']} x {about['processor']}, {about['memory_gib']} GiB, Python {about['python']}, commit"
        f" `{about['commit']}`, {about['day']}. {options['rounds']} rounds of {options['seconds']:g} seconds,"
        f" {options['callers']} callers. Times are in milliseconds, processor time and counts are per request, memory is"
        " that of the largest worker in MiB.",
        "",
        _HEAD,
        _RULE,
        *(_row(result, results) for result in results),
    ]
    if any(result.summary.is_polluted for result in results):
        lines += ["", "~ Other processes used more of the machine than allowed during every turn. Do not rely on it."]
    if len({result.people for result in results}) > 1:
        lines += ["", f"![The cost of a request by the number of people](performance-{job}.svg)"]
    return "\n".join(lines)


def _row(result: Result, results: Sequence[Result]) -> str:
    figures = result.summary.figures
    share = product_ratio(result, results)
    is_own = result.series.group == "product"
    shown = [
        f"{result.people:,}",
        result.series.variant,
        result.series.cell + (" ~" if result.summary.is_polluted else ""),
        result.series.loop,
        f"{figures['rate']:,.0f}" if figures["rate"] >= 100 else f"{figures['rate']:.1f}",
        "" if share is None or is_own or result.series.loop != CLOSED else f"{share:.2f} x",
        *(f"{figures[name]:.1f}" for name in ("p50", "p95", "p99")),
        *(f"{figures[name]:.2f}" for name in ("app", "postgresql", "redis")),
        *(f"{figures[name]:.1f}" for name in ("statements", "commits", "round_trips")),
        f"{figures['errors'] / max(1, figures['requests']):.1%}" if figures["errors"] else "0",
        f"{result.memory:.0f}" if result.memory else "",
    ]
    return f"| {' | '.join(shown)} |"


def insert_section(page: str, job: str, section: str) -> str:
    """Return *page* with the section of *job* replaced.

    Raises:
        ValueError: the page does not have its markers.
    """
    begin, end = f"<!-- bench {job}: written by ./dev bench {job} --publish -->", f"<!-- end of bench {job} -->"
    before, found, rest = page.partition(begin)
    _old, closed, after = rest.partition(end)
    if not found or not closed:
        raise ValueError(f"The page has no markers of {job!r}.")
    return f"{before}{begin}\n\n{section}\n\n{end}{after}"


def plot(results: Sequence[Result]) -> str:
    """Return an SVG: processor time per request of app, PostgreSQL and Redis together, by the number of people."""
    closed = [
        each for each in results if each.series.loop == CLOSED and each.series.group in ("product", "before", "peer")
    ]
    sizes = sorted({each.people for each in closed})
    lines: dict[str, dict[int, float]] = {}
    for each in closed:
        cost = sum(each.summary.figures[name] for name in ("app", "postgresql", "redis"))
        lines.setdefault(f"{each.series.cell}, {each.series.variant}", {})[each.people] = cost
    most = max((cost for line in lines.values() for cost in line.values()), default=1.0) or 1.0
    width, height, left, bottom = 720, 360, 60, 40

    def x_of(size: int) -> float:
        return left + (width - left - 260) * (sizes.index(size) / max(1, len(sizes) - 1))

    def y_of(cost: float) -> float:
        return height - bottom - (height - bottom - 20) * cost / most

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="sans-serif" font-size="12">',
        f'<path d="M{left} 20V{height - bottom}H{width - 250}" fill="none" stroke="#888"/>',
        f'<text x="8" y="14">ms per request</text><text x="8" y="{y_of(most) + 4:.0f}">{most:.1f}</text>',
        *(f'<text x="{x_of(size) - 20:.0f}" y="{height - 20}">{size:,}</text>' for size in sizes),
    ]
    for number, (name, line) in enumerate(sorted(lines.items())):
        colour = f"hsl({number * 360 // max(1, len(lines))} 65% 40%)"
        points = " ".join(f"{x_of(size):.0f},{y_of(line[size]):.0f}" for size in sorted(line))
        parts.append(f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="2"/>')
        parts.append(f'<text x="{width - 240}" y="{30 + 18 * number}" fill="{colour}">{name}</text>')
    return "\n".join([*parts, "</svg>", ""])


def to_json(job: str, results: Sequence[Result], options: Mapping[str, Any]) -> str:
    """Return everything that was measured."""
    content = {
        "benchmark": job,
        "machine": machine(),
        "options": options,
        "results": [each.to_json() for each in results],
    }
    return json.dumps(content, indent=2) + "\n"
