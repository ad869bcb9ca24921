"""``manage.py list_applications``: the OAuth applications, without their secrets."""

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand
from django.core.serializers.json import DjangoJSONEncoder

from auth_core.oauth.api.answers import application_answer
from auth_core.oauth.models import ApplicationPolicy

#: Applications that are read at once.
_BATCH = 500


class Command(BaseCommand):
    """Writes line by line, so that a site with many applications needs little memory."""

    help = "List the OAuth applications, the oldest first. No secret and no hash of one is printed."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the options."""
        parser.add_argument("--json", action="store_true", help="Print each application as one JSON object per line.")

    def handle(self, *args: Any, **options: Any) -> None:
        """Print the applications."""
        rows = ApplicationPolicy.objects.select_related("application").prefetch_related("allowed_groups")
        for policy in rows.order_by("pk").iterator(chunk_size=_BATCH):
            answer = application_answer(policy)
            if options["json"]:
                self.stdout.write(json.dumps(answer, cls=DjangoJSONEncoder))
                continue
            words = [word for word in ("public", "first_party", "service_account") if answer[word]]
            words += [] if answer["active"] else ["disabled"]
            # A name has one line. It is the last column, because it may have spaces.
            self.stdout.write(f"{answer['id']} {answer['client_id']} {','.join(words) or '-'} {answer['name']}")
