"""The API's reference in the browser, from our own files and without a line of inline script."""

from django.views.generic import TemplateView


class ApiDocsView(TemplateView):
    """``/api/docs/``: Swagger UI over ``/api/schema/``."""

    template_name = "api_docs/swagger.html"
