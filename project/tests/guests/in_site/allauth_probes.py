from django.contrib.auth import get_user_model
from django.test import TestCase
from visits.tests.helpers import PASSWORD, credentials_of, make_person


class Allauth(TestCase):
    def test_login_page(self):
        make_person("alice")
        wrong = self.client.post("/accounts/login/", {"login": "alice", "password": "wrong"})
        self.assertEqual(wrong.status_code, 200)
        answer = self.client.post("/accounts/login/", {"login": "alice", "password": PASSWORD})
        self.assertRedirects(answer, "/me/")

    def test_login_with_the_address(self):
        make_person("alice")
        answer = self.client.post("/accounts/login/", {"login": "alice@example.org", "password": PASSWORD})
        self.assertRedirects(answer, "/me/")

    def test_sign_up_and_log_out(self):
        form = {"username": "bob", "email": "bob@example.org", "password1": PASSWORD, "password2": PASSWORD}
        self.assertRedirects(self.client.post("/accounts/signup/", form), "/me/")
        self.assertEqual(get_user_model().objects.get().username, "bob")
        self.assertEqual(self.client.post("/accounts/logout/").status_code, 302)
        self.assertEqual(self.client.get("/me/").status_code, 302)
        self.assertTrue(self.client.login(**credentials_of("bob")))

    def test_password_change(self):
        make_person("alice")
        self.client.login(**credentials_of("alice"))
        form = {"oldpassword": PASSWORD, "password1": "another horse battery", "password2": "another horse battery"}
        self.assertEqual(self.client.post("/accounts/password/change/", form).status_code, 302)
        self.assertEqual(self.client.get("/me/").status_code, 200)
