"""``python -m mutants [MODULE …]``: make small defects in the listed modules. A test must fail for each.

Without a name it runs the modules that have changed since their last run. A name may be a part of one, from its
beginning: ``auth_rbac/decisions``.
"""

import argparse
import os
import sys
from collections.abc import Sequence
from contextlib import ExitStack

from mutants.job import Verdict
from mutants.ledger import (
    Entry,
    Explanation,
    load_explanations,
    load_ledger,
    open_changes,
    problems,
    save_ledger,
)  # fmt: skip
from mutants.modules import Module, load
from mutants.mutator import mutations_of, spread
from mutants.runner import NoVerdict, Outcome, run_module
from servers import real_servers

#: The lowest priority with which the tests run. They take minutes, and other programs come first.
NICENESS = 15


def main(*arguments: str) -> int:
    """Run the mutations of some modules, and record the result. Return 1 if one needs a test or an explanation."""
    options = _options(arguments)
    modules, entries, explanations = load(), load_ledger(), load_explanations()
    chosen = [module for module in modules if module.name.startswith(tuple(options.modules) or "")]
    if not chosen:
        print(f"No listed module begins with {', '.join(options.modules)}.")
        return 1
    if not (options.again or options.every or options.survivors):
        chosen = [module for module in chosen if not _is_current(module, entries.get(module.name))]
    os.nice(max(0, options.nice - os.nice(0)))
    failed = 0
    with ExitStack() as stack:
        servers = None
        if any(module.database == "postgresql" for module in chosen):
            servers = stack.enter_context(real_servers())
        for module in chosen:
            try:
                outcome = _run(module, options, entries.get(module.name), servers)
            except NoVerdict as problem:
                failed += 1
                print(problem, flush=True)
                continue
            if not options.every:
                entry = _entry(module, outcome, entries.get(module.name), options)
                # Another run may have saved other modules meanwhile.
                entries = {**load_ledger(), module.name: entry}
                save_ledger(entries)
            failed += _print(module, outcome, explanations)
    return _print_sum(modules, entries, explanations) or (1 if failed else 0)


def _options(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="./dev mutants", description=__doc__)
    parser.add_argument("modules", nargs="*", help="names, or the beginnings of names, of listed modules")
    parser.add_argument("--again", action="store_true", help="also run modules that have not changed")
    parser.add_argument("--all", action="store_true", dest="every", help="make all mutations, and record nothing")
    parser.add_argument("--survivors", action="store_true", help="only run what survived, after tests were added")
    parser.add_argument("--nice", type=int, default=NICENESS, help=f"the niceness of the tests; default {NICENESS}")
    return parser.parse_args(arguments)


def _is_current(module: Module, entry: Entry | None) -> bool:
    return entry is not None and entry.digest == module.digest()


def _run(module: Module, options: argparse.Namespace, entry: Entry | None, servers: tuple[str, str] | None) -> Outcome:
    mutations = mutations_of(module.source())
    if not options.every:
        mutations = spread(mutations, module.mutations)
    if options.survivors:
        not_killed = set(entry.not_killed) if entry else set()
        mutations = [mutation for mutation in mutations if mutation.key in not_killed]
        if not _is_current(module, entry) or len(mutations) < len(not_killed):
            raise NoVerdict(f"{module.name} has changed since its last run. Run it without --survivors.")
    if module.database == "sqlite":
        return run_module(module, mutations)
    if servers is None:
        raise NoVerdict(f"{module.name} needs PostgreSQL and Redis.")
    return run_module(module, mutations, servers)


def _entry(module: Module, outcome: Outcome, former: Entry | None, options: argparse.Namespace) -> Entry:
    """Return the new entry. A run of the survivors adds to what was killed before."""
    entry = outcome.entry(module.digest())
    if not options.survivors or former is None:
        return entry
    killed = former.mutations - len(entry.not_killed)
    return Entry(entry.digest, former.mutations, killed, entry.survived, entry.timed_out)


def _print(module: Module, outcome: Outcome, explanations: Sequence[Explanation]) -> int:
    """Print the result of one module. Return how many mutations need a test or an explanation."""
    entry = outcome.entry(module.digest())
    open_ones = set(open_changes(module.name, entry, explanations))
    print(
        f"{module.name}: {entry.mutations} mutations, {entry.killed} killed, {len(entry.survived)} survived, "
        f"{len(entry.timed_out)} timed out, {len(entry.not_killed) - len(open_ones)} explained, "
        f"{outcome.seconds:.0f} s",
        flush=True,
    )
    for mutation, verdict in outcome.verdicts:
        if verdict is not Verdict.KILLED:
            explained = "" if mutation.key in open_ones else ", explained"
            print(f"    {verdict}{explained}:\n{mutation.text()}", flush=True)
    return len(open_ones)


def _print_sum(modules: Sequence[Module], entries: dict[str, Entry], explanations: Sequence[Explanation]) -> int:
    """Print the numbers of the whole ledger and its problems. Return 1 if there are any."""
    waiting = [module.name for module in modules if not _is_current(module, entries.get(module.name))]
    total = sum(entry.mutations for entry in entries.values())
    killed = sum(entry.killed for entry in entries.values())
    print(f"The ledger: {len(entries)} modules, {total} mutations, {killed} killed, {len(explanations)} explained")
    if waiting:
        print(f"Not run, or changed since: {', '.join(waiting)}")
    found = problems(modules, entries, explanations)
    print("".join(f"{problem}\n" for problem in found), end="")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
