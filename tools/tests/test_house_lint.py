"""Every house rule sees its defect, and lets pass what is right."""

from pathlib import Path

import pytest

from house_lint.rules import RULES, check_file

HERE = "packages/mfa/src/auth_mfa/enrolment.py"
RBAC = "packages/rbac/src/auth_rbac/roles/assignments.py"

CAUGHT = {
    "naive_now": ("from datetime import datetime\nx = datetime.now()", HERE),
    "naive_now in UTC, which it does not say": ("x = datetime.utcnow()", HERE),
    "positional_timedelta": ("x = timedelta(5)", HERE),
    "user_lookup": ("User.objects.get(email=x)", HERE),
    "change_of_the_trail": ("AuditEntry.objects.filter(x=1).update(y=2)", HERE),
    "change_of_the_trail by delete": ("AuditEntry.objects.all().delete()", HERE),
    "change_that_nobody_hears_of": ("Assignment.objects.filter(user=x).update(valid_until=y)", HERE),
    "change_that_nobody_hears_of in bulk": ("models.Role.objects.bulk_create(x)", RBAC),
    "change_that_nobody_hears_of of guardian's": ("UserObjectPermission.objects.bulk_create(x)", RBAC),
    "change_that_nobody_hears_of of a table of a model's own": (
        "get_group_obj_perms_model(x).objects.all()._raw_delete('default')",
        RBAC,
    ),
    "change_that_nobody_hears_of between": ("User.groups.through.objects.bulk_create(x)", HERE),
    "event_name_made_at_run_time": ('record(Event(name=f"auth.{x}.failed"))', HERE),
    "event_name_made_at_run_time first": ('record(Event(f"auth.{x}.failed"))', HERE),
    "signal_elsewhere": ("x = Signal()", HERE),
    "setting_read_elsewhere": ("x = settings.X", HERE),
    "setting_read_elsewhere by getattr": ('x = getattr(settings, "X", None)', HERE),
    "setting_read_elsewhere by another name": ("x = django_settings.X", HERE),
    "environment_read_elsewhere": ("x = os.environ['X']", HERE),
    "environment_read_elsewhere by get": ("x = os.environ.get('X')", HERE),
    "environment_read_elsewhere by getenv": ("x = os.getenv('X')", HERE),
    "environment_read_elsewhere by import": ("from os import environ", HERE),
    "travel_without_tick": ("with time_machine.travel(0): pass", "packages/mfa/tests/test_x.py"),
    "clock_read_at_import": ("NOW = timezone.now()", "packages/mfa/tests/test_x.py"),
    "clock_read_at_import in a class": ("class X:\n    at = time.time() - 5", "packages/mfa/tests/test_x.py"),
    "clock_read_at_import for a parameter": (
        "@mark.parametrize('x', [timezone.now()])\ndef f(x): pass",
        "packages/mfa/tests/test_x.py",
    ),
    "clock_read_at_import for a default": ("def f(x=datetime.now(tz=UTC)): pass", "packages/mfa/tests/test_x.py"),
    "clock_read_at_import by a test kit": ("NOW = timezone.now()", "packages/mfa/src/auth_mfa/testing/x.py"),
    "secret_logged": ("logger.info('x %s', password)", HERE),
    "secret_logged as an attribute": ("log.warning('x', body.token)", HERE),
    "log_line_without_content": ("logger.info('event')", HERE),
    "log_line_without_content but in its fields": ("logger.info('A message failed.', extra=fields)", HERE),
    "riddle_as_a_name": ("told = 1", HERE),
    "riddle_as_a_name of a parameter": ("def count(held): pass", "packages/mfa/tests/test_x.py"),
    "riddle_as_a_name of a loop": ("for piece in pieces: pass", HERE),
    "user_lookup of the site's model": ("get_user_model().objects.get(pk=1)", HERE),
    "unbounded_expression": ("import re", HERE),
    "unbounded_expression by a part": ("from re import compile", HERE),
    "unbounded_expression in the service": ("import re", "project/enterprise_auth/env.py"),
    "unbounded_expression of a validator": ("from django.core.validators import RegexValidator", HERE),
    "unbounded_expression of a route": ("from django.urls import re_path", HERE),
    "unbounded_expression of a field": ("x = serializers.RegexField('a')", HERE),
    "unbounded_expression by a dotted name": ("x = forms.RegexField('a')", HERE),
}

LET_PASS = {
    "a bounded expression": ("from auth_core.text import Pattern\nx = Pattern('a', at_most=1)", HERE),
    "the bound itself": ("import re", "packages/auth-core/src/auth_core/text.py"),
    "an expression over statements of ours": ("import re", "packages/rbac/src/auth_rbac/statements/tables.py"),
    "an expression in a test": ("import re", "packages/mfa/tests/test_x.py"),
    "an expression in a tool": ("import re", "tools/asvs/rows.py"),
    "a clock read in a test": ("def test_x():\n    now = timezone.now()", "packages/mfa/tests/test_x.py"),
    "a clock read when it is called": ("NOW = lambda: timezone.now()", "packages/mfa/tests/test_x.py"),
    "a named moment": ("NOW = datetime(2026, 1, 2, tzinfo=UTC)", "packages/mfa/tests/test_x.py"),
    "a clock read at the start of a process": ("STARTED = time.monotonic()", HERE),
    "a moment with a zone": ("x = datetime.now(tz=UTC)", HERE),
    "a unit by name": ("x = timedelta(minutes=5)", HERE),
    "no time at all": ("x = timedelta(0)", HERE),
    "a lookup in auth_core": ("User.objects.get(pk=1)", "packages/auth-core/src/auth_core/people/lookup.py"),
    "retention": ("AuditEntry.objects.filter().delete()", "packages/audit-logging/src/auth_audit/retention.py"),
    "a change of roles that is heard": (
        "Role.objects.filter(x=1).update(y=2)",
        "packages/rbac/src/auth_rbac/models/role.py",
    ),
    "the closure": ("RoleClosure.objects.bulk_create(x)", "packages/rbac/src/auth_rbac/roles/hierarchy.py"),
    "a deletion, which sends signals": ("Assignment.objects.filter(x=1).delete()", RBAC),
    "a change of something else": ("Session.objects.filter(x=1).update(y=2)", HERE),
    "a test of just that": ("Assignment.objects.update(x=1)", "packages/rbac/tests/test_remembering.py"),
    "a member": ("record(Event(name=AuthEvent.LOGIN_FAILED))", HERE),
    "a signal in events.py": ("x = Signal()", "packages/mfa/src/auth_mfa/events.py"),
    "a setting in conf.py": ("x = settings.X", "packages/mfa/src/auth_mfa/conf.py"),
    "the user model": ("x = settings.AUTH_USER_MODEL", HERE),
    "env.py": ("x = os.environ", "project/enterprise_auth/env.py"),
    "the environment of a benchmark": ("x = os.environ", "project/benchmarks/harness/cells.py"),
    "a setting of a benchmark": ("x = settings.X", "project/benchmarks/peers/django_peers/urls.py"),
    "the tests' kit": ("x = os.environ", "packages/auth-core/src/auth_core/testing/settings.py"),
    "time that says its tick": ("with time_machine.travel(0, tick=False): pass", HERE),
    "a key called given": ("x = {'given': 1}", HERE),
    "a log line that needs no fields": ("logger.info('The cache is available again.')", HERE),
    "a log line with its fields": ("logger.info('%s failed', name, extra=fields)", HERE),
    "an id": ("logger.info('x %s', session_id)", HERE),
    "a migration": ("x = timedelta(5)", "packages/mfa/src/auth_mfa/migrations/0001_initial.py"),
}


@pytest.mark.parametrize(("text", "path"), CAUGHT.values(), ids=CAUGHT.keys())
def test_a_planted_defect_is_seen(text: str, path: str) -> None:
    assert len(check_file(Path(path), text)) == 1


@pytest.mark.parametrize(("text", "path"), LET_PASS.values(), ids=LET_PASS.keys())
def test_what_is_right_passes(text: str, path: str) -> None:
    assert check_file(Path(path), text) == []


def test_every_rule_has_a_planted_defect() -> None:
    assert {rule.__name__ for rule in RULES} == {name.split()[0] for name in CAUGHT}


def test_a_finding_says_where_and_what_to_do() -> None:
    (finding,) = check_file(Path(HERE), "\nx = settings.X")

    assert str(finding) == f"{HERE}:2: settings.X is read in conf.py alone."
