from django.contrib import admin

from visits.models import Visit

admin.site.register(Visit)
