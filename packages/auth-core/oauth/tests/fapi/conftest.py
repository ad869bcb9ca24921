"""A client of the plan, and the results that are turned for modules that are expected to fail."""

from collections.abc import Generator
from typing import Any

import pytest
from fapi_client import FapiClient
from fapi_plan import is_red, module_of

from auth_core.oauth.testing.proofs import make_signing_application
from people import browser_of


@pytest.fixture(autouse=True)
def high(settings: Any) -> None:
    """A site with the profile."""
    settings.AUTH_OAUTH = {**settings.AUTH_OAUTH, "PROFILE": "high"}


@pytest.fixture
def fapi(alice: Any) -> FapiClient:
    """The first client of the plan, and the browser of a person who has signed in."""
    return FapiClient(make_signing_application(is_first_party=True), browser_of(alice))


@pytest.fixture
def second(fapi: FapiClient) -> FapiClient:
    """The second client of the plan."""
    return FapiClient(make_signing_application(is_first_party=True), fapi.browser)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, None, None]:
    """Turn the result of a module that is expected to fail: it fails if the module passes."""
    module, failure = module_of(item.name), None
    try:
        yield
    except AssertionError as problem:
        failure = problem
    if not is_red(module, has_failed=failure is not None):
        return
    if failure is not None:
        raise failure
    pytest.fail(f"{module} passes. Take it out of expected_failures.toml.")
