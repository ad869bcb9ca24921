import os
from unittest import mock

from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group, Permission
from django.core.management import call_command
from django.test import TestCase
from visits.tests.helpers import PASSWORD, admin_page, credentials_of, form_of, identifier_of, make_boss, make_person

from auth_audit.models import AuditEntry


class Trail(TestCase):
    """The site's own login and administration are seen by the trail."""

    @classmethod
    def setUpTestData(cls):
        cls.alice = make_person("alice")

    def entries(self, name):
        return AuditEntry.objects.filter(name=name).order_by("id")

    def subject(self, person):
        return get_user_model().objects.get(pk=person.pk).auth_identity.subject_id

    def test_a_failed_login_names_the_account(self):
        self.client.post("/login/", credentials_of("alice", "wrong"))
        entry = self.entries("auth.login.failed").get()
        self.assertEqual((entry.subject_id, entry.reason), (self.subject(self.alice), "password"))

    def test_a_login_is_recorded(self):
        self.client.post("/login/", credentials_of("alice"))
        self.assertEqual(self.entries("auth.login.succeeded").get().subject_id, self.subject(self.alice))

    def test_createsuperuser_is_recorded(self):
        field = get_user_model().USERNAME_FIELD
        options = {field: identifier_of("root"), **({"email": "root@example.org"} if field == "username" else {})}
        with mock.patch.dict(os.environ, DJANGO_SUPERUSER_PASSWORD=PASSWORD):
            call_command("createsuperuser", interactive=False, verbosity=0, **options)
        changes = [entry.changes["is_superuser"]["after"] for entry in self.entries("audit.account.created")]
        self.assertEqual(changes, [False, True])

    def test_changepassword_is_recorded(self):
        with mock.patch("getpass.getpass", return_value="another horse battery"):
            call_command("changepassword", identifier_of("alice"), verbosity=0)
        self.assertEqual(self.entries("audit.password.set").get().subject_id, self.subject(self.alice))

    def test_rights_changed_by_code_are_recorded(self):
        group = Group.objects.create(name="editors")
        permission = Permission.objects.get(codename="view_visit")
        self.alice.groups.set([group])
        self.alice.user_permissions.set([permission])
        group.permissions.set([permission])
        self.alice.is_staff = True
        self.alice.save()
        changed = [sorted(entry.changes) for entry in self.entries("audit.rights.changed")]
        self.assertEqual(changed, [["groups"], ["user_permissions"], ["permissions"], ["is_staff"]])

    def test_rights_changed_in_the_admin_are_recorded(self):
        boss = make_boss()
        group = Group.objects.create(name="editors")
        self.client.force_login(boss)
        address = admin_page("change", self.alice.pk)
        page = self.client.get(address)
        self.assertEqual(self.client.post(address, form_of(page, groups=[group.pk], is_staff="on")).status_code, 302)
        changed = {name for entry in self.entries("audit.object.changed") for name in entry.changes}
        self.assertLessEqual({"groups", "is_staff"}, changed)
        self.assertEqual({entry.actor_id for entry in self.entries("audit.object.changed")}, {self.subject(boss)})
