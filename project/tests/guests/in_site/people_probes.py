import io
import json
import os
import tempfile
from unittest import mock

from django.apps import apps
from django.contrib.auth import authenticate, get_user_model
from django.contrib.auth.models import Permission
from django.core.management import call_command
from django.test import AsyncClient, Client, TestCase
from visits.hashers import QuickHasher
from visits.models import Visit
from visits.tests.helpers import PASSWORD, credentials_of, identifier_of, make_boss, make_person


class People(TestCase):
    @classmethod
    def setUpTestData(cls):
        cls.alice = make_person("alice")

    def me(self, client=None):
        return (client or self.client).get("/me/")

    def test_force_login(self):
        self.client.force_login(self.alice)
        self.assertEqual(self.me().json(), {"me": identifier_of("alice")})

    def test_client_login(self):
        self.assertTrue(self.client.login(**credentials_of("alice")))
        self.assertEqual(self.me().status_code, 200)
        self.client.logout()
        self.assertEqual(self.me().status_code, 302)

    def test_authenticate(self):
        self.assertEqual(authenticate(None, **credentials_of("alice")), self.alice)
        self.assertEqual(
            authenticate(**{get_user_model().USERNAME_FIELD: identifier_of("alice")}, password=PASSWORD), self.alice
        )
        self.assertIsNone(authenticate(None, **credentials_of("alice", "wrong")))

    def test_an_inactive_person_is_not_authenticated(self):
        self.alice.is_active = False
        self.alice.save()
        self.assertIsNone(authenticate(None, **credentials_of("alice")))
        self.assertFalse(self.client.login(**credentials_of("alice")))

    def test_login_view(self):
        self.assertContains(self.client.post("/login/", credentials_of("alice", "wrong")), "form")
        self.assertEqual(self.me().status_code, 302)
        self.assertRedirects(self.client.post("/login/", credentials_of("alice")), "/me/")

    def test_a_former_hash_is_accepted(self):
        self.assertTrue(self.alice.check_password(PASSWORD))
        self.alice.password = "quick$10$salt$" + _pbkdf2(PASSWORD)
        self.alice.save()
        self.assertTrue(self.client.login(**credentials_of("alice")))

    def test_a_new_password_ends_other_sessions(self):
        self.client.force_login(self.alice)
        self.alice.set_password("another horse battery staple")
        self.alice.save()
        self.assertEqual(self.me().status_code, 302)

    def test_session_data_is_kept(self):
        session = self.client.session
        session["basket"] = [1, 2]
        session.save()
        self.client.cookies["sessionid"] = session.session_key
        self.client.force_login(self.alice)
        self.assertEqual(self.client.session["basket"], [1, 2])

    def test_drf_session_authentication(self):
        self.assertEqual(self.client.get("/me/api/").status_code, 403)
        browser = Client(enforce_csrf_checks=True)
        browser.force_login(self.alice)
        self.assertEqual(browser.get("/me/api/").json(), {"me": identifier_of("alice")})
        self.assertEqual(browser.post("/me/api/").status_code, 403)
        browser.get("/login/")
        token = browser.cookies["csrftoken"].value
        self.assertEqual(browser.post("/me/api/", headers={"X-CSRFToken": token}).status_code, 200)

    async def test_async_view(self):
        browser = AsyncClient()
        await browser.aforce_login(self.alice)
        self.assertEqual((await browser.get("/me/async/")).json(), {"me": identifier_of("alice")})
        await browser.alogout()
        self.assertEqual((await browser.get("/me/async/")).json(), {"me": ""})

    async def test_async_login(self):
        browser = AsyncClient()
        self.assertTrue(await browser.alogin(**credentials_of("alice")))
        self.assertEqual((await browser.get("/me/async/")).json(), {"me": identifier_of("alice")})

    async def test_async_session(self):
        browser = AsyncClient()
        await browser.aforce_login(self.alice)
        answers = [(await browser.get("/count/async/")).json()["visits"] for _ in range(3)]
        self.assertEqual(answers, [1, 2, 3])

    def test_createsuperuser(self):
        field = get_user_model().USERNAME_FIELD
        options = {field: identifier_of("root")}
        if field == "username":
            options["email"] = "root@example.org"
        with mock.patch.dict(os.environ, DJANGO_SUPERUSER_PASSWORD=PASSWORD):
            call_command("createsuperuser", interactive=False, verbosity=0, **options)
        self.assertTrue(self.client.login(**credentials_of("root")))
        self.assertEqual(self.client.get("/admin/").status_code, 200)

    def test_dumpdata_and_loaddata(self):
        label, output = get_user_model()._meta.label, io.StringIO()
        self.client.force_login(self.alice)
        call_command("dumpdata", label, stdout=output)
        self.alice.delete()

        with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
            file.write(output.getvalue())
            file.flush()
            call_command("loaddata", file.name, verbosity=0)
        self.assertEqual(len(json.loads(output.getvalue())), 1)
        self.assertTrue(self.client.login(**credentials_of("alice")))

    def test_bulk_delete(self):
        for name in ("bob", "carol"):
            person = make_person(name)
            Visit.objects.create(person=person, note="first")
            self.client.force_login(person)
            self.assertEqual(self.me().status_code, 200)
        boss = make_boss()
        self.client.force_login(boss)
        get_user_model().objects.exclude(pk=self.alice.pk).exclude(pk=boss.pk).delete()
        self.assertEqual(get_user_model().objects.count(), 2)
        self.assertEqual(Visit.objects.count(), 0)

    def test_bulk_delete_of_everyone(self):
        """With roles, the last administrator stays, as the README of auth_rbac says."""
        make_boss()
        everyone = get_user_model().objects.all()
        if apps.is_installed("auth_rbac"):
            everyone = everyone.exclude(is_superuser=True)
        everyone.delete()
        self.assertEqual(everyone.count(), 0)

    async def test_async_permission(self):
        permission = await Permission.objects.aget(codename="view_visit")
        self.assertFalse(await self.alice.ahas_perm("visits.view_visit"))
        await self.alice.user_permissions.aadd(permission)
        alice = await get_user_model().objects.aget(pk=self.alice.pk)
        self.assertTrue(await alice.ahas_perm("visits.view_visit"))

    def test_bulk_create_and_update(self):
        model = get_user_model()
        model.objects.bulk_create([model(**{model.USERNAME_FIELD: identifier_of(f"p{number}")}) for number in range(3)])
        model.objects.update(is_active=False)
        self.assertEqual(model.objects.filter(is_active=False).count(), 4)


def _pbkdf2(password):
    return QuickHasher().encode(password, "salt").split("$")[3]
