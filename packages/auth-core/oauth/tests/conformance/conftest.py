"""Runs the modules as the conformance suite does, and prints their results."""

from collections.abc import Generator
from typing import Any

import pytest
from django.test import Client as Browser
from plans import EXPECTED_FAILURES, MODULES, PLANS
from relying_party import RelyingParty

from auth_core.oauth.testing.factories import Registered, make_application
from people import browser_of

#: The result of each module and response mode.
_RESULTS: dict[tuple[str, str], str] = {}

_MODES = next(plan.modes for plan in PLANS if plan.modes)


@pytest.fixture(params=_MODES)
def mode(request: pytest.FixtureRequest) -> str:
    """The response mode of the plan: that of Basic OP, and that of Form-post OP."""
    return str(request.param)


@pytest.fixture
def rp(alice: Any, mode: str) -> RelyingParty:
    """A client of the operator, and a browser in which alice has signed in."""
    return RelyingParty(make_application(is_first_party=True), alice, browser_of(alice), mode)


@pytest.fixture
def other(mode: str) -> Registered:
    """A second client."""
    return make_application(is_first_party=True)


@pytest.fixture
def stranger(rp: RelyingParty) -> RelyingParty:
    """The same client, and a browser without a session. The person is asked for everything."""
    type(rp.application.policy).objects.update(is_first_party=False)
    return RelyingParty(rp.application, rp.person, Browser(), rp.mode)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, None, None]:
    """Turn the result of a module that is expected to fail: it fails if the module passes."""
    reason = EXPECTED_FAILURES.get(_module_of(item), "")
    if not reason:
        yield
        return
    try:
        yield
    except AssertionError:
        item.user_properties.append(("expected_failure", reason))
        return
    pytest.fail(f"{_module_of(item)} passes. Take it out of expected_failures.toml.")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Keep the result of a module."""
    report = yield
    if _module_of(item) and (report.when == "call" or report.failed):
        key = (_module_of(item), (getattr(item, "callspec", None) and str(item.callspec.params.get("mode", ""))) or "")
        if _RESULTS.get(key) != "failed":
            _RESULTS[key] = "expected failure" if report.passed and item.user_properties else report.outcome
    return report


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Print the result of each module. With ``-q``, only how many have which."""
    if not _RESULTS:
        return
    terminalreporter.section("OpenID conformance modules")
    for plan in PLANS:
        for mode in plan.modes or ("",):
            results = {module: _RESULTS.get((module, mode), "not run") for module in plan.modules}
            counts = ", ".join(
                f"{list(results.values()).count(each)} {each}" for each in dict.fromkeys(results.values())
            )
            name = "Form-post OP" if mode == "form_post" else plan.name
            terminalreporter.write_line(f"{name}: {counts}")
            if config.get_verbosity() >= 0:
                for module, result in results.items():
                    terminalreporter.write_line(f"    {result:<17} {module}")


def _module_of(item: pytest.Item) -> str:
    return MODULES.get(getattr(item, "originalname", "") or "", "")
