"""Attacks on the running service. `rows.toml` names the tests of each attack of the catalogue."""

import pytest

pytest.register_assert_rewrite("attacks.stage")
