from wagtail import urls as wagtail_urls
from wagtail.admin import urls as wagtailadmin_urls

urlpatterns += [path("cms/", include(wagtailadmin_urls)), path("pages/", include(wagtail_urls))]
