import pytest
from administrators import *
from test_application_secrets import *
from auth_core.oauth.clients.registry import find_application
from auth_core.oauth.hashers import ClientSecretHasher
pytestmark=pytest.mark.django_db
def test_x():
    b=browser_of_administrator()
    a=b.post(f"{ADMIN}add/", form_of(name="New", redirect_uris="https://rp.example/cb"))
    s=shown_in(b.get(a.headers["Location"]))
    p=ApplicationPolicy.objects.get()
    r=find_application(p.application.client_id)
    print(r)
    print(r.client_secret, ClientSecretHasher().verify(s, r.client_secret), r.methods)
    print(Registered(row=p.application, secret=s).post("/oauth/token", grant_type="x").content)
    print(Registered(row=p.application, secret=s).post("/oauth/token", grant_type="authorization_code", code="x").content)
