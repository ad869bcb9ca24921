"""Decisions at scale, compared with django-guardian and pycasbin's FastEnforcer in one run.

100 roles in a graph 6 deep, 10,000 users with two roles each, 100,000 objects and 1,000,000
permissions for single objects, in its own PostgreSQL database. All candidates first answer the
same 2,000 sampled questions, and must agree. Then they are timed in turns in three rounds.
Prints the medians and the number of queries. "Cold" means that nothing is cached for the user.
Each process caches the contents of roles once for all users (decision record 0019), as casbin
loads its policies.

    python project/benchmarks/rbac_decisions.py [--small] [postgres://user@host:port/postgres]

Requires the package with its dependencies, psycopg, and ``pip install casbin`` for the third candidate.
"""

import random
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import django
import psycopg
from django.conf import settings

ROOT = Path(__file__).resolve().parents[2]
SMALL = "--small" in sys.argv
URL = next((word for word in sys.argv[1:] if "://" in word), "postgres://postgres@127.0.0.1:5432/postgres")
DATABASE = "bench_rbac"

ROLES, LAYERS = 100, 6
PEOPLE, OBJECTS, GRANTS = (500, 2_000, 20_000) if SMALL else (10_000, 100_000, 1_000_000)
QUESTIONS = 200 if SMALL else 2_000
ROUNDS = 3
#: Verbs of the questions. Every fifth grant of an object is to change it, the others are to view it.
VERBS = ("view", "change", "delete")


def configure() -> None:
    """Set up a site with stock users, the package, and one model with permissions."""
    parameters = psycopg.conninfo.conninfo_to_dict(URL)
    sys.path.insert(0, str(ROOT / "packages/rbac/tests"))
    settings.configure(
        SECRET_KEY="benchmark" * 8,
        USE_TZ=True,
        DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
        INSTALLED_APPS=[
            "django.contrib.auth", "django.contrib.contenttypes", "guardian", "auth_core", "auth_rbac", "shop",
        ],
        AUTHENTICATION_BACKENDS=["auth_rbac.backends.RoleBackend", "django.contrib.auth.backends.ModelBackend"],
        ANONYMOUS_USER_NAME=None,
        GUARDIAN_MONKEY_PATCH_USER=False,
        DATABASES={
            "default": {
                "ENGINE": "django.db.backends.postgresql",
                "NAME": DATABASE,
                "USER": parameters.get("user", ""),
                "PASSWORD": parameters.get("password", ""),
                "HOST": parameters.get("host", ""),
                "PORT": parameters.get("port", ""),
            }
        },
    )  # fmt: skip
    with psycopg.connect(URL, autocommit=True) as server:
        server.execute(f'DROP DATABASE IF EXISTS "{DATABASE}" WITH (FORCE)')
        server.execute(f'CREATE DATABASE "{DATABASE}"')
    django.setup()


configure()

import logging  # noqa: E402 - as below

logging.disable(logging.CRITICAL)

from django.contrib.auth.backends import ModelBackend  # noqa: E402 - models need a configured Django
from django.contrib.auth.models import Group, Permission, User  # noqa: E402 - settings are configured only now
from django.contrib.contenttypes.models import ContentType  # noqa: E402 - as above
from django.core.management import call_command  # noqa: E402 - as above
from django.db import connection  # noqa: E402 - as above
from django.test.utils import CaptureQueriesContext  # noqa: E402 - as above
from guardian.backends import ObjectPermissionBackend  # noqa: E402 - as above
from guardian.core import ObjectPermissionChecker  # noqa: E402 - as above
from guardian.shortcuts import get_objects_for_user, get_users_with_perms  # noqa: E402 - as above

from auth_rbac.decisions import decision_cache  # noqa: E402 - as above
from auth_rbac.decisions.decisions import check, check_many  # noqa: E402 - as above
from auth_rbac.decisions.querysets import permitted, permitted_keys  # noqa: E402 - as above
from auth_rbac.decisions.subjects import subjects  # noqa: E402 - as above
from auth_rbac.models import Assignment, Role, RoleClosure  # noqa: E402 - as above
from auth_rbac.roles.roles import create_role  # noqa: E402 - as above
from shop.models import Order  # noqa: E402 - as above

Question = tuple[int, str, int]

#: By candidate: a task and its cases.
Job = dict[str, tuple[Callable[[Any], Any], list[Any]]]


@dataclass
class World:
    """The created data that the candidates need."""

    assignments: list[tuple[int, Role]] = field(default_factory=list)
    roles: list[Role] = field(default_factory=list)
    codenames: dict[Any, set[str]] = field(default_factory=dict)


def build() -> World:
    """Create roles, users, objects and permissions. Nothing here is timed."""
    call_command("migrate", verbosity=0)
    chance = random.Random(6)  # noqa: S311 - the same data in every run
    world = World()
    names = {one.codename: one for one in Permission.objects.filter(content_type__app_label="shop")}
    for number in range(ROLES):
        layer = number * LAYERS // ROLES
        above = [role for at, role in enumerate(world.roles) if at * LAYERS // ROLES == layer - 1]
        parents = chance.sample(above, min(2, len(above)))
        # One role in twenty allows deleting every order. The others concern other models.
        codenames = chance.sample(["add_paper", "view_paper", "change_plan", "view_plan", "add_order"], 2)
        codenames += ["delete_order"] if number % 20 == 0 else []
        role = create_role(name=f"role {number}", permissions=[names[one] for one in codenames], parents=parents)
        world.roles.append(role)
        world.codenames[role.pk] = set(codenames)
    User.objects.bulk_create(User(pk=n, username=f"person {n}") for n in range(1, PEOPLE + 1))
    for person in range(1, PEOPLE + 1):
        world.assignments += [(person, role) for role in chance.sample(world.roles[ROLES // 2 :], 2)]
    Assignment.objects.bulk_create(
        (Assignment(user_id=pk, role=role) for pk, role in world.assignments), batch_size=2_000
    )
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO shop_order (id) SELECT g FROM generate_series(1, %s) g", [OBJECTS])
        cursor.execute(
            "INSERT INTO guardian_userobjectpermission (user_id, object_pk, permission_id, content_type_id)"
            " SELECT g %% %s + 1, ((g %% %s) * 7919 + (g / %s) * 104729::bigint) %% %s + 1,"
            " CASE WHEN (g / %s) %% 5 = 0 THEN %s ELSE %s END, %s FROM generate_series(0, %s - 1) g",
            [
                PEOPLE, PEOPLE, PEOPLE, OBJECTS, PEOPLE, names["change_order"].pk, names["view_order"].pk,
                ContentType.objects.get_for_model(Order).pk, GRANTS,
            ],
        )  # fmt: skip
    as_groups(world, names)
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
    return world


def as_groups(world: World, names: dict[str, Permission]) -> None:
    """Create a group per role with the content of all its ancestors, because guardian has no roles.

    The decisions of auth_rbac read these groups too. Django's permissions of groups do not apply to objects.
    """
    above = list(RoleClosure.objects.values_list("role_id", "ancestor_id"))
    groups = {role.pk: Group.objects.create(name=f"as {role.name}") for role in world.roles}
    for role, group in groups.items():
        every = set().union(*(world.codenames[ancestor] for below, ancestor in above if below == role))
        group.permissions.set([names[codename] for codename in every])
    through = User.groups.through
    through.objects.bulk_create(
        (through(user_id=person, group=groups[role.pk]) for person, role in world.assignments), batch_size=2_000
    )


def ask_questions() -> list[Question]:
    """Sample questions, half of them about existing grants for objects."""
    chance = random.Random(7)  # noqa: S311 - as above
    grants = list(
        User.objects.filter(userobjectpermission__isnull=False)
        .order_by("?" if SMALL else "pk")
        .values_list("pk", "userobjectpermission__object_pk")[:: max(1, GRANTS // QUESTIONS)]
    )
    about = chance.choices([(person, int(key)) for person, key in grants], k=QUESTIONS // 2)
    about += [(chance.randint(1, PEOPLE), chance.randint(1, OBJECTS)) for _n in range(QUESTIONS // 2)]
    return [(person, chance.choice(VERBS), key) for person, key in about]


def casbin() -> Any:
    """Return a FastEnforcer with all data in memory, indexed by object and action, or ``None`` without casbin."""
    try:
        from casbin import FastEnforcer, Model  # noqa: PLC0415 - an optional dependency
        from casbin.model import FastModel  # noqa: PLC0415 - as above
    except ImportError:
        print("casbin is not installed and is skipped")
        return None
    text = """
[request_definition]
r = sub, obj, act
[policy_definition]
p = sub, obj, act
[role_definition]
g = _, _
[policy_effect]
e = some(where (p.eft == allow))
[matchers]
m = r.act == p.act && r.obj == p.obj && g(r.sub, p.sub)
"""
    model: Model = FastModel([1, 2])
    model.load_model_from_text(text)
    enforcer = FastEnforcer(model, cache_key_order=[1, 2])
    policy, grouping = model["p"]["p"].policy, model["g"]["g"].policy
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT g.user_id, g.object_pk, p.codename FROM guardian_userobjectpermission g"
            " JOIN auth_permission p ON p.id = g.permission_id"
        )
        for person, key, codename in cursor:
            policy.append([f"u{person}", key, codename.partition("_")[0]])
        cursor.execute("SELECT user_id, role_id FROM auth_rbac_assignment")
        grouping += [[f"u{person}", f"r{role}"] for person, role in cursor]
        cursor.execute("SELECT child_id, parent_id FROM auth_rbac_roleedge")
        grouping += [[f"r{child}", f"r{parent}"] for child, parent in cursor]
    for role in Role.objects.filter(permissions__codename="delete_order"):
        policy.append([f"r{role.pk}", "*", "delete"])
    enforcer.build_role_links()
    return enforcer


class Guardian:
    """django-guardian: its backend, and Django's for global permissions of groups."""

    everywhere, objects = ModelBackend(), ObjectPermissionBackend()

    def may(self, user: User, verb: str, order: Order) -> bool:
        """Check the object, then globally. A backend of a new request caches nothing."""
        name = f"shop.{verb}_order"
        return self.objects.has_perm(user, name, order) or self.everywhere.has_perm(user, name)


def fresh(pk: int) -> Any:
    """Return a user like that of a request, without a query, which is not part of the measurement."""
    return User(pk=pk, username="", is_active=True)


def time_each(task: Callable[[Any], Any], cases: list[Any]) -> float:
    """Return the rate per second."""
    began = time.perf_counter()
    for case in cases:
        task(case)
    return len(cases) / (time.perf_counter() - began)


def queries_of(task: Callable[[Any], Any], case: Any) -> str:
    """Return the number of queries of one case."""
    with CaptureQueriesContext(connection) as queries:
        task(case)
    return str(len(queries))


def contests(questions: list[Question], enforcer: Any) -> dict[str, Job]:  # noqa: C901 - one small function for each task
    """Return the timed tasks and their cases, by job and candidate."""
    guardian = Guardian()
    orders = {key: Order(pk=key) for _person, _verb, key in questions}
    pages = [[Order(pk=key) for key in range(start, start + 50)] for start in range(1, OBJECTS - 50, OBJECTS // 200)]
    warm = {person: fresh(person) for person, _verb, _key in questions}
    some = questions[: len(questions) // 4]

    def cold(question: Question) -> bool:
        decision_cache.forget_all()
        return check(fresh(question[0]), question[1], orders[question[2]]).allowed

    def again(question: Question) -> bool:
        return check(warm[question[0]], question[1], orders[question[2]]).allowed

    def guarded(question: Question) -> bool:
        return guardian.may(fresh(question[0]), question[1], orders[question[2]])

    def enforced(question: Question) -> bool:
        name = f"u{question[0]}"
        return bool(enforcer.enforce(name, str(question[2]), question[1]) or enforcer.enforce(name, "*", question[1]))

    def page(case: Any) -> list[bool]:
        decision_cache.forget_all()
        return [one.allowed for one in check_many(fresh(case[0]), "view", case[1])]

    def guarded_page(case: Any) -> list[bool]:
        user = fresh(case[0])
        checker = ObjectPermissionChecker(user)
        checker.prefetch_perms(case[1])
        everywhere = Guardian.everywhere.has_perm(user, "shop.view_order")
        return [everywhere or checker.has_perm("view_order", order) for order in case[1]]

    def listed(person: int) -> list[int]:
        decision_cache.forget_all()
        return list(permitted(fresh(person), "view", Order).order_by("pk").values_list("pk", flat=True)[:50])

    def listed_warm(person: int) -> list[int]:
        return list(permitted(warm_users[person], "view", Order).order_by("pk").values_list("pk", flat=True)[:50])

    def keys(person: int) -> list[int]:
        return list(permitted_keys(fresh(person), "view", Order, limit=50))

    def keys_warm(person: int) -> list[int]:
        return list(permitted_keys(warm_users[person], "view", Order, limit=50))

    def guarded_list(person: int) -> list[int]:
        permitted_rows = get_objects_for_user(fresh(person), "shop.view_order", Order)
        return list(permitted_rows.order_by("pk").values_list("pk", flat=True)[:50])

    def guarded_ids(person: int) -> list[int]:
        permitted_rows = get_objects_for_user(fresh(person), "shop.view_order", Order)
        return sorted(permitted_rows.values_list("pk", flat=True))[:50]

    def who(order: Order) -> list[int]:
        return sorted(subjects("view", order).values_list("pk", flat=True))

    def guarded_who(order: Order) -> list[int]:
        permitted_rows = get_users_with_perms(order, only_with_perms_in=["view_order"], with_superusers=True)
        return sorted(permitted_rows.values_list("pk", flat=True))

    people = [person for person, _verb, _key in questions][:200]
    warm_users = {person: fresh(person) for person in people}
    for user in warm_users.values():
        check(user, "shop.view_order")
    page_cases = [(person, pages[number % len(pages)]) for number, person in enumerate(people)]
    some_orders = list(orders.values())[:40]
    timed: dict[str, Job] = {
        "check, cold": {"auth_rbac": (cold, questions), "guardian": (guarded, some)},
        "check, warm": {"auth_rbac": (again, questions * 20)},
        "50 objects": {"auth_rbac": (page, page_cases), "guardian": (guarded_page, page_cases)},
        "page of permitted, cold": {"auth_rbac": (listed, people), "guardian": (guarded_list, people[:40])},
        "page of permitted, warm": {"auth_rbac": (listed_warm, people), "guardian": (guarded_list, people[:40])},
        "page of keys, fresh person": {"auth_rbac": (keys, people), "guardian": (guarded_list, people[:40])},
        "page of keys, warm": {"auth_rbac": (keys_warm, people * 5), "guardian": (guarded_ids, people[:40])},
        "subjects": {"auth_rbac": (who, some_orders), "guardian": (guarded_who, some_orders)},
    }
    if enforcer is not None:
        timed["check, cold"]["casbin"] = timed["check, warm"]["casbin"] = (enforced, questions)
    return timed


def must_agree(timed: dict[str, Job], questions: list[Question]) -> None:
    """Check that all candidates give the same answers, before the measurement.

    Raises:
        SystemExit: two candidates differ.
    """
    for job, candidates in timed.items():
        cases = questions if job.startswith("check") else min((cases for _task, cases in candidates.values()), key=len)
        answers = {name: [task(case) for case in cases] for name, (task, _cases) in candidates.items()}
        if len({repr(results) for results in answers.values()}) != 1:
            raise SystemExit(f"{job}: the candidates do not agree.")
        yes = sum(map(bool, next(iter(answers.values()))))
        print(f"agreed: {job}: {len(cases)} cases, {yes} of them allowed, by {', '.join(answers)}")


def main() -> None:
    """Create the data, compare the answers, measure in turns, and print."""
    began = time.perf_counter()
    build()
    questions = ask_questions()
    enforcer = casbin()
    print(
        f"{ROLES} roles {LAYERS} deep, {PEOPLE:,} people, {OBJECTS:,} objects, {GRANTS:,} grants; "
        f"Django {django.get_version()}, built in {time.perf_counter() - began:.0f} s"
    )
    timed = contests(questions, enforcer)
    must_agree(timed, questions)
    rates: dict[tuple[str, str], list[float]] = {}
    for _round in range(ROUNDS):
        for job, candidates in timed.items():
            for name, (task, cases) in candidates.items():
                rates.setdefault((job, name), []).append(time_each(task, cases))
    for job, candidates in timed.items():
        ours = statistics.median(rates[job, "auth_rbac"])
        for name, (task, cases) in candidates.items():
            rate = statistics.median(rates[job, name])
            spread = f"{min(rates[job, name]):,.0f}-{max(rates[job, name]):,.0f}"
            print(
                f"{job:26} {name:10} {rate:12,.0f}/s ({spread}), {queries_of(task, cases[0])} queries,"
                f" auth_rbac is {ours / rate:.1f} x"
            )


if __name__ == "__main__":
    try:
        main()
    finally:
        connection.close()
        with psycopg.connect(URL, autocommit=True) as server:
            server.execute(f'DROP DATABASE IF EXISTS "{DATABASE}" WITH (FORCE)')
