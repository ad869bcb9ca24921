from django.contrib.auth import get_user_model
from django.db import IntegrityError
from django.test import TransactionTestCase
from visits.tests.helpers import admin_page, form_of, identifier_of, make_boss


class Roles(TransactionTestCase):
    """The pages of the site's own admin keep the last administrator, and say why."""

    message = "This site needs at least one administrator."

    def boss_after(self, address, form):
        self.client.force_login(make_boss())
        answer = self.client.post(address(), form(), follow=True)
        self.assertContains(answer, self.message)
        return get_user_model().objects.get(**{get_user_model().USERNAME_FIELD: identifier_of("boss")})

    def boss_key(self):
        return get_user_model().objects.get().pk

    def test_the_last_administrator_is_not_deleted(self):
        self.boss_after(lambda: admin_page("delete", self.boss_key()), lambda: {"post": "yes"})

    def test_the_last_administrator_is_not_deleted_by_the_action(self):
        self.boss_after(
            lambda: admin_page("changelist"),
            lambda: {"post": "yes", "action": "delete_selected", "_selected_action": [str(self.boss_key())]},
        )

    def test_the_last_administrator_is_not_disabled_by_a_statement(self):
        boss = make_boss()
        with self.assertRaises(IntegrityError):
            get_user_model().objects.update(is_active=False)
        boss.refresh_from_db()
        self.assertTrue(boss.is_active)

    def test_the_last_administrator_is_not_disabled(self):
        def form():
            filled = form_of(self.client.get(admin_page("change", self.boss_key())))
            return {name: value for name, value in filled.items() if name != "is_active"}

        boss = self.boss_after(lambda: admin_page("change", self.boss_key()), form)
        self.assertTrue(boss.is_active)
