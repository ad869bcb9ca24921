import http.cookiejar
import urllib.parse
import urllib.request

from archive.models import Shelf
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.test import LiveServerTestCase, TransactionTestCase
from visits.models import Visit
from visits.tests.helpers import credentials_of, identifier_of, make_boss, make_person


class Transactions(TransactionTestCase):
    """Two tests that each find an empty database."""

    def sign_in_and_write(self):
        self.assertEqual(get_user_model().objects.count(), 0)
        person = make_person("alice")
        self.client.post("/login/", credentials_of("alice", "wrong"))
        self.assertEqual(self.client.post("/login/", credentials_of("alice")).status_code, 302)
        Visit.objects.create(person=person, note="first")
        self.client.force_login(make_boss())
        self.assertEqual(self.client.post("/admin/auth/group/add/", {"name": "editors"}).status_code, 302)
        self.assertEqual(Group.objects.filter(name="editors").count(), 1)

    def test_transaction_test_case(self):
        self.sign_in_and_write()

    def test_transaction_test_case_again(self):
        self.sign_in_and_write()


class Live(LiveServerTestCase):
    def test_live_server_test_case(self):
        make_person("alice")
        browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(jar := http.cookiejar.CookieJar()))
        browser.open(f"{self.live_server_url}/login/").read()
        token = next(cookie.value for cookie in jar if cookie.name == "csrftoken")
        form = urllib.parse.urlencode({**credentials_of("alice"), "csrfmiddlewaretoken": token}).encode()
        answer = browser.open(f"{self.live_server_url}/login/", form).read()
        self.assertIn(identifier_of("alice"), answer.decode())


class EveryDatabase(TransactionTestCase):
    databases = "__all__"

    def test_every_database_is_flushed(self):
        Shelf.objects.create(name="north")
        make_person("alice")
        self.assertEqual(Shelf.objects.count(), 1)
