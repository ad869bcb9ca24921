from django.contrib import admin
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group, Permission
from django.test import TestCase
from django.urls import reverse
from visits.models import Visit
from visits.tests.helpers import PASSWORD, admin_page, credentials_of, form_of, identifier_of, make_boss, make_person


class Admin(TestCase):
    @classmethod
    def setUpTestData(cls):
        cls.boss = make_boss()
        cls.alice = make_person("alice")

    def setUp(self):
        self.client.force_login(self.boss)

    def submit(self, address, **changes):
        page = self.client.get(address)
        self.assertEqual(page.status_code, 200)
        answer = self.client.post(address, form_of(page, **changes))
        if answer.status_code != 302:
            self.fail(f"{address}: {answer.context['adminform'].form.errors if answer.context else answer.content}")
        return answer

    def test_log_in(self):
        self.client.logout()
        answer = self.client.post("/admin/login/?next=/admin/", credentials_of("boss"))
        self.assertRedirects(answer, "/admin/")
        self.assertContains(self.client.get("/admin/"), "Visits")

    def test_someone_without_rights_does_not_get_in(self):
        self.client.force_login(self.alice)
        self.assertEqual(self.client.get("/admin/").status_code, 302)

    def test_list_every_model(self):
        self.client.get("/me/")
        for model in admin.site._registry:
            answer = self.client.get(admin_page("changelist", model=model))
            self.assertEqual(answer.status_code, 200, model)

    def test_search_every_model(self):
        for model, model_admin in admin.site._registry.items():
            if model_admin.search_fields:
                answer = self.client.get(admin_page("changelist", model=model), {"q": "alice"})
                self.assertEqual(answer.status_code, 200, model)

    def test_add_a_group(self):
        permission = Permission.objects.get(codename="view_visit")
        self.submit(admin_page("add", model=Group), name="editors", permissions=[permission.pk])
        self.assertEqual(Group.objects.get(name="editors").permissions.get(), permission)

    def test_add_a_person(self):
        field = get_user_model().USERNAME_FIELD
        self.submit(admin_page("add"), **{field: identifier_of("bob"), "password1": PASSWORD, "password2": PASSWORD})
        self.client.logout()
        self.assertTrue(self.client.login(**credentials_of("bob")))

    def test_change_a_person(self):
        group = Group.objects.create(name="editors")
        self.submit(admin_page("change", self.alice.pk), groups=[group.pk], is_staff="on")
        self.alice.refresh_from_db()
        self.assertTrue(self.alice.is_staff)
        self.assertEqual(self.alice.groups.get(), group)

    def test_change_a_password(self):
        address = admin_page("change", self.alice.pk)
        page = reverse("admin:auth_user_password_change", args=[self.alice.pk])
        answer = self.client.post(page, {"password1": "another horse battery", "password2": "another horse battery"})
        self.assertEqual(answer.status_code, 302)
        self.assertEqual(self.client.get(address).status_code, 200)
        self.assertTrue(self.client.login(**credentials_of("alice", "another horse battery")))

    def test_add_and_change_a_row_of_the_site(self):
        self.submit(admin_page("add", model=Visit), person=self.alice.pk, note="first")
        visit = Visit.objects.get()
        self.submit(admin_page("change", visit.pk, model=Visit), note="second")
        visit.refresh_from_db()
        self.assertEqual(visit.note, "second")

    def used_account(self, name):
        """Return a person who has signed in, failed to, and written something."""
        person = make_person(name)
        browser = self.client_class()
        browser.post("/login/", credentials_of(name, "wrong"))
        browser.post("/login/", credentials_of(name))
        self.assertEqual(browser.get("/me/").status_code, 200)
        browser.post("/api/v1/login/", {"identifier": identifier_of(name), "password": PASSWORD}, "application/json")
        Visit.objects.create(person=person, note="first")
        if person.get_email_field_name() and hasattr(person, "email_addresses"):
            person.email_addresses.create(address=f"{name}@example.org")
        return person

    def test_delete_a_person(self):
        bob = self.used_account("bob")
        page = self.client.get(admin_page("delete", bob.pk))
        self.assertEqual(page.status_code, 200)
        self.assertFalse(page.context["perms_lacking"], page.context["perms_lacking"])
        self.assertFalse(page.context["protected"], page.context["protected"])
        answer = self.client.post(admin_page("delete", bob.pk), {"post": "yes"})
        self.assertEqual(answer.status_code, 302)
        self.assertFalse(get_user_model().objects.filter(pk=bob.pk).exists())

    def test_delete_people_by_the_action(self):
        people = [self.used_account(name) for name in ("bob", "carol")]
        keys = [str(one.pk) for one in people]
        data = {"action": "delete_selected", "_selected_action": keys}
        page = self.client.post(admin_page("changelist"), data)
        self.assertEqual(page.status_code, 200)
        self.assertFalse(page.context["perms_lacking"], page.context["perms_lacking"])
        self.assertEqual(self.client.post(admin_page("changelist"), {**data, "post": "yes"}).status_code, 302)
        self.assertFalse(get_user_model().objects.filter(pk__in=keys).exists())

    def test_staff_who_may_delete_people_need_no_more(self):
        clerk = make_person("clerk", is_staff=True)
        opts = get_user_model()._meta
        names = [f"{act}_{opts.model_name}" for act in ("view", "change", "delete")]
        clerk.user_permissions.set(Permission.objects.filter(codename__in=[*names, "delete_visit"]))
        bob = self.used_account("bob")
        self.client.force_login(clerk)
        page = self.client.get(admin_page("delete", bob.pk))
        self.assertEqual(page.status_code, 200)
        self.assertFalse(page.context["perms_lacking"], page.context["perms_lacking"])
        self.assertEqual(self.client.post(admin_page("delete", bob.pk), {"post": "yes"}).status_code, 302)
