"""The API reference in the browser, from local files and without inline scripts."""

from django.views.generic import TemplateView


class ApiDocsView(TemplateView):
    """``/api/docs/``: Swagger UI over ``/api/schema/``."""

    template_name = "api_docs/swagger.html"
