from django.test import TestCase
from visits.tests.helpers import PASSWORD, credentials_of, make_boss, make_person


class Wagtail(TestCase):
    def test_log_in_to_the_cms(self):
        make_boss()
        answer = self.client.post("/cms/login/", credentials_of("boss"))
        self.assertEqual(answer.status_code, 302)
        self.assertEqual(self.client.get("/cms/").status_code, 200)

    def test_pages_and_users(self):
        self.client.force_login(make_boss())
        for address in ("/cms/pages/", "/cms/users/", "/cms/groups/", "/cms/account/", "/cms/images/"):
            answer = self.client.get(address, follow=True)
            self.assertEqual(answer.status_code, 200, address)
            self.assertFalse([one for one, _status in answer.redirect_chain if "/login/" in one], address)

    def test_add_change_and_delete_a_user(self):
        self.client.force_login(make_boss())
        form = {
            "username": "bob",
            "email": "bob@example.org",
            "first_name": "B",
            "last_name": "B",
            "password1": PASSWORD,
            "password2": PASSWORD,
            "is_active": "on",
        }
        answer = self.client.post("/cms/users/new/", form)
        self.assertEqual(answer.status_code, 302, answer.content[:2000])
        from django.contrib.auth import get_user_model

        bob = get_user_model().objects.get(username="bob")
        self.assertEqual(self.client.post(f"/cms/users/delete/{bob.pk}/").status_code, 302)
        self.assertFalse(get_user_model().objects.filter(username="bob").exists())

    def test_a_page_is_edited(self):
        from wagtail.models import Page

        self.client.force_login(make_boss())
        root = Page.objects.get(depth=1)
        home = root.add_child(instance=Page(title="Guests", slug="guests"))
        answer = self.client.get(f"/cms/pages/{home.pk}/edit/")
        self.assertEqual(answer.status_code, 200)
        make_person("alice")
