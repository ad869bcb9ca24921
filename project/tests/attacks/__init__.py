"""Attacks on the served service; `rows.toml` names the test of each attack of the catalogue."""

import pytest

pytest.register_assert_rewrite("attacks.stage")
