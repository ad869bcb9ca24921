"""The list of the mutation tests, its ledger and its explanations agree, and a weak test is found.

No test here makes mutations with mutmut, which only ``./dev mutants`` installs.
"""

from dataclasses import replace
from pathlib import Path

import pytest

from mutants import children, ledger, modules
from mutants.code_swap import CannotSwap, changed_functions, compiled
from mutants.job import Verdict
from mutants.ledger import Change, Entry, Explanation, problems
from mutants.modules import Module
from mutants.mutation import Mutation, mutation_between
from mutants.runner import NoVerdict, run_module

SOURCE = "LIMIT = 3\n\n\ndef is_refused(count: int) -> bool:\n    return count > LIMIT\n"

#: A test that notices both mutations of `SOURCE`, and one that notices neither.
STRONG = "assert is_refused(4) and not is_refused(3)"
WEAK = "assert is_refused(9)"


@pytest.fixture
def module(tmp_path: Path) -> Module:
    """A module of a small site, without tests."""
    (tmp_path / "src/small").mkdir(parents=True)
    (tmp_path / "src/small/__init__.py").touch()
    (tmp_path / "src/small/limit.py").write_text(SOURCE)
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests/settings.py").touch()
    (tmp_path / "pytest.ini").write_text("[pytest]\nDJANGO_SETTINGS_MODULE = settings\npythonpath = tests\n")
    return Module("small/limit", ("test_limit.py",), root=tmp_path)


def write_tests(module: Module, *bodies: str) -> None:
    tests = [f"def test_{number}():\n    {body}\n" for number, body in enumerate(bodies)]
    text = "from small.limit import is_refused\n\n\n" + "\n\n".join(tests)
    (module.folder / "tests/test_limit.py").write_text(text)


def changed(before: str, after: str) -> Mutation:
    mutated = SOURCE.replace(before, after)
    return mutation_between(SOURCE, mutated, where="is_refused", first_line=1, source=mutated)


#: A mutation of a function, which the running process takes, and one that needs a new import.
MUTATIONS = [changed("> LIMIT", ">= LIMIT"), changed("LIMIT = 3", "LIMIT = 5")]


def test_mutations_survive_a_weak_test_and_are_killed_with_another_one(module: Module) -> None:
    write_tests(module, WEAK)
    weak = run_module(module, MUTATIONS)

    write_tests(module, WEAK, STRONG)
    strong = run_module(module, MUTATIONS)

    assert [verdict for _mutation, verdict in weak.verdicts] == [Verdict.SURVIVED, Verdict.SURVIVED]
    assert [verdict for _mutation, verdict in strong.verdicts] == [Verdict.KILLED, Verdict.KILLED]


def test_tests_that_fail_without_a_mutation_prove_nothing(module: Module) -> None:
    write_tests(module, "assert not is_refused(9)")

    with pytest.raises(NoVerdict):
        run_module(module, MUTATIONS)


def test_a_loop_without_an_end_is_not_a_kill() -> None:
    def run() -> int:
        while True:
            pass

    assert children.verdict_of(run, processor_seconds=0) is Verdict.TIMED_OUT


def test_a_change_that_runs_at_import_needs_a_new_process() -> None:
    original = compiled(SOURCE, "limit.py")

    inside = changed_functions(original, compiled(MUTATIONS[0].source, "limit.py"))

    assert list(inside) == [("is_refused", 0)]
    with pytest.raises(CannotSwap):
        changed_functions(original, compiled(MUTATIONS[1].source, "limit.py"))
    with pytest.raises(CannotSwap):
        changed_functions(original, compiled(SOURCE.replace("count: int", "count: int = 3"), "limit.py"))


def test_listed_modules_and_tests_exist() -> None:
    listed = modules.load()

    missing = [str(module.path) for module in listed if not module.path.is_file()]
    missing += [
        f"{module.name}: {path}" for module in listed for path in module.test_paths
        if not (module.folder / path).is_file()
    ]  # fmt: skip

    assert listed
    assert missing == []
    assert {module.database for module in listed} <= {"sqlite", "postgresql"}


def test_a_module_listed_twice_is_refused(tmp_path: Path) -> None:
    row = '[[module]]\nname = "auth_core/limits"\ntests = []\n'
    (tmp_path / "modules.toml").write_text(row + row)

    with pytest.raises(ValueError, match="twice: auth_core/limits"):
        modules.load(tmp_path / "modules.toml")


def test_the_list_the_ledger_and_the_explanations_agree() -> None:
    assert problems(modules.load(), ledger.load_ledger(), ledger.load_explanations()) == []


def test_a_saved_ledger_is_read_again(tmp_path: Path) -> None:
    entries = {"small/limit": Entry("d", 2, 0, (Change("f", "a", "b"),), (Change("f", "c", ""),))}

    ledger.save_ledger(entries, tmp_path / "ledger.json")

    assert ledger.load_ledger(tmp_path / "ledger.json") == entries


def test_a_changed_module_or_list_of_tests_is_run_again(module: Module) -> None:
    before = module.digest()

    assert replace(module, tests=("test_other.py",)).digest() != before
    module.path.write_text(SOURCE.replace("3", "4"))
    assert module.digest() != before


@pytest.fixture
def explained(module: Module) -> tuple[dict[str, Entry], Explanation]:
    """A ledger with a survivor, and its explanation."""
    change = Change(*MUTATIONS[0].key)
    return (
        {module.name: Entry(module.digest(), 20, 19, (change,))},
        Explanation(module=module.name, **change._asdict(), reason="No caller passes the limit itself."),
    )


def test_an_explained_survivor_is_no_problem(module: Module, explained: tuple[dict[str, Entry], Explanation]) -> None:
    entries, explanation = explained

    assert problems([module], entries, [explanation]) == []
    (problem,) = problems([module], entries, [])
    assert "needs a test or an explanation" in problem


def test_an_explanation_of_a_line_that_is_gone_is_a_problem(
    module: Module, explained: tuple[dict[str, Entry], Explanation]
) -> None:
    entries, explanation = explained
    module.path.write_text(SOURCE.replace("count > LIMIT", "count >= LIMIT"))

    assert any("no longer exists: return count > LIMIT" in text for text in problems([module], entries, [explanation]))


def test_an_explanation_of_a_killed_mutation_is_a_problem(
    module: Module, explained: tuple[dict[str, Entry], Explanation]
) -> None:
    _entries, explanation = explained
    killed = {module.name: Entry(module.digest(), 20, 20)}

    assert any("a test killed" in text for text in problems([module], killed, [explanation]))


def test_more_explanations_than_one_in_twenty_are_a_problem(
    module: Module, explained: tuple[dict[str, Entry], Explanation]
) -> None:
    entries, explanation = explained
    few = {module.name: replace(entries[module.name], mutations=19, killed=18)}

    assert any("more than 5%" in text for text in problems([module], few, [explanation]))


def test_numbers_that_do_not_add_up_and_unlisted_modules_are_problems(module: Module) -> None:
    entries = {module.name: Entry(module.digest(), 3, 2), "small/other": Entry("d", 1, 1)}

    found = problems([module], entries, [])

    assert "small/other is in the ledger and not in the list." in found
    assert "small/limit: the numbers of the ledger do not add up." in found
