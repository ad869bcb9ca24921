"""Actions and reads without permission."""

import pytest

from attacks.stage import PASSWORD, Caller, Stage

pytestmark = [pytest.mark.postgresql, pytest.mark.live]


def test_users_cannot_grant_themselves_permissions(stage: Stage, attacker: Caller) -> None:
    """A147: change one's own permissions."""
    me = attacker.sign_in(stage.person()).api("GET", "me/").json()["id"]
    role = stage.role(stage.caller().sign_in(stage.administrator()), "a147", permissions=["auth_rbac.change_role"])

    with stage.attack(attacker.credential, leaves={"auth.access.denied": 4}):
        answers = [
            attacker.api("POST", "roles/", {"name": "mine", "wildcards": ["*"]}),
            attacker.api("POST", "assignments/", {"holder": {"kind": "person", "id": me}, "role": role}),
            attacker.api("PATCH", f"roles/{role}/", {"permissions": []}),
            attacker.api("DELETE", f"roles/{role}/"),
        ]

    assert [answer.status_code for answer in answers] == [403] * 4


def test_a_delegate_cannot_revoke_more_than_they_hold(stage: Stage, attacker: Caller) -> None:
    """A150: a user who may change roles removes permissions from a superior role."""
    superuser = stage.caller().sign_in(stage.administrator())
    manages = [f"auth_rbac.{act}_{model}" for act in ("view", "change", "delete") for model in ("role", "assignment")]
    above = stage.role(superuser, "a150 above", permissions=["auth_audit.view_auditentry"])
    middle = stage.role(superuser, "a150 middle", parents=[above])
    delegate = stage.role(superuser, "a150 delegate", permissions=manages)
    owner = stage.caller().sign_in(stage.person()).api("GET", "me/").json()["id"]
    assignment = superuser.api(
        "POST", "assignments/", {"holder": {"kind": "person", "id": owner}, "role": above}
    ).json()["id"]
    person = stage.person(totp=True)
    me = attacker.sign_in(person).api("GET", "me/").json()["id"]
    superuser.api("POST", "assignments/", {"holder": {"kind": "person", "id": me}, "role": delegate})

    with stage.attack(attacker.credential, leaves={"auth.access.denied": 4}):
        answers = [
            attacker.api("PATCH", f"roles/{above}/", {"permissions": []}),
            attacker.api("PATCH", f"roles/{middle}/", {"parents": []}),
            attacker.api("DELETE", f"roles/{above}/"),
            attacker.api("DELETE", f"assignments/{assignment}/"),
        ]

    assert [answer.status_code for answer in answers] == [403] * 4


def test_a_decision_ignores_time_and_attributes_of_the_caller(stage: Stage, attacker: Caller) -> None:
    """A153: the client sends its own time and attributes."""
    attacker.sign_in(stage.person())
    question = {"permission": "auth_accounts.view_user"}
    extras = [{"now": "2020-01-01T00:00:00Z"}, {"context": {"time": 0}}, {"roles": ["administrator"]}, {"acr": "aal3"}]

    with stage.attack(attacker.credential, leaves="unknown_field"):
        answers = [attacker.api("POST", "access/check/", {**question, **extra}) for extra in extras]

    assert [answer.status_code for answer in answers] == [400] * 4


def test_only_the_credential_identifies_the_user(stage: Stage, attacker: Caller) -> None:
    """A156: name a user in the body of a request without a session."""
    person = stage.person()
    named = {"user": person.id, "userId": person.id, "subject": person.id}

    with stage.attack(PASSWORD, leaves="/me/"):
        answers = [
            attacker.api("GET", f"me/?{attacker.query(**named)}"),
            attacker.api("POST", "password/change/", {**named, "current_password": PASSWORD, "new_password": PASSWORD}),
            attacker.api("POST", "mfa/totp/", {**named, "name": "Mine"}),
            attacker.api("POST", "sessions/revoke-others/", named),
            attacker.api("GET", "me/", headers={"X-User": person.id, "Remote-User": person.address}),
        ]

    assert [answer.status_code for answer in answers] == [401] * 5


def test_objects_of_other_users_are_not_found(stage: Stage, attacker: Caller) -> None:
    """A159: ids of objects of other users."""
    owner = stage.caller().sign_in(stage.person(totp=True))
    session = owner.api("GET", "sessions/").json()["results"][0]["id"]
    device = owner.api("GET", "devices/").json()["results"][0]["id"]
    factor = owner.api("GET", "mfa/factors/").json()["results"][0]["id"]
    attacker.sign_in(stage.person())

    with stage.attack(attacker.credential, leaves={}) as traces:
        traces.may_leave("auth.access.denied")
        answers = [
            attacker.api(method, path)
            for method, path in [
                ("GET", f"sessions/{session}/"), ("DELETE", f"sessions/{session}/"), ("GET", f"sessions/{session}/risk/"),
                ("GET", f"devices/{device}/"), ("DELETE", f"devices/{device}/"), ("POST", f"devices/{device}/block/"),
                ("GET", f"mfa/factors/{factor}/"), ("DELETE", f"mfa/factors/{factor}/"),
            ]
        ]  # fmt: skip

    assert {answer.status_code for answer in answers} <= {404, 401, 405}
    assert answers[0].status_code == answers[1].status_code == 404


def test_staff_without_permissions_change_nothing_in_the_admin_site(stage: Stage, attacker: Caller) -> None:
    """A162: forms and inlines of the admin site without permission checks."""
    person, other = stage.person(totp=True), stage.person()
    stage.execute("UPDATE auth_accounts_user SET is_staff = true WHERE email = %s", person.address)
    key = stage.service.query(f"SELECT id FROM auth_accounts_user WHERE email = '{other.address}'")[0][0]
    attacker.submit("/login/", identifier=person.address, password=PASSWORD)
    attacker.submit("/login/answer/", code=person.code())
    paths = [
        f"/admin/auth_accounts/user/{key}/change/", f"/admin/auth_accounts/user/{key}/delete/",
        "/admin/auth_accounts/user/add/", "/admin/auth/group/add/", "/admin/auth_rbac/role/add/",
        "/admin/auth_audit/auditentry/",
    ]  # fmt: skip

    index = attacker.get("/admin/")
    with stage.attack(leaves={}) as traces:
        traces.may_leave("auth.access.denied")
        read = [attacker.get(path) for path in paths]
        written = [
            attacker.post(path, data={"is_superuser": "on"}, headers={"Referer": attacker.own_url}) for path in paths
        ]

    assert index.status_code == 200, index.headers
    assert [answer.status_code for answer in read] == [403] * len(paths)
    assert {answer.status_code for answer in written} == {403}
    assert traces.entries["auth.access.denied"] >= len(paths)
