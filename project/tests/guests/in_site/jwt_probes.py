from django.test import TestCase
from visits.tests.helpers import credentials_of, identifier_of, make_person


class Jwt(TestCase):
    def test_a_token_is_obtained_used_and_refreshed(self):
        make_person("alice")
        self.assertEqual(self.client.post("/token/", credentials_of("alice", "wrong")).status_code, 401)
        pair = self.client.post("/token/", credentials_of("alice")).json()
        bearer = {"Authorization": f"Bearer {pair['access']}"}
        self.assertEqual(self.client.get("/token/me/").status_code, 401)
        self.assertEqual(self.client.get("/token/me/", headers=bearer).json(), {"me": identifier_of("alice")})
        self.assertEqual(self.client.post("/token/refresh/", {"refresh": pair["refresh"]}).status_code, 200)

    def test_a_token_beside_a_session(self):
        make_person("alice")
        bob = make_person("bob")
        pair = self.client.post("/token/", credentials_of("alice")).json()
        self.client.force_login(bob)
        answer = self.client.get("/token/me/", headers={"Authorization": f"Bearer {pair['access']}"})
        self.assertEqual(answer.json(), {"me": identifier_of("alice")})
