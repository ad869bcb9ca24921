"""People of any user model, and forms of the admin."""

import zlib

from django.contrib.auth import get_user_model

PASSWORD = "correct horse battery staple"


def identifier_of(name):
    """Return what a person types who is called *name*."""
    field = get_user_model().USERNAME_FIELD
    if field == "email":
        return f"{name}@example.org"
    return f"+4179{zlib.crc32(name.encode()) % 10**7:07}" if field == "phone" else name


def credentials_of(name, password=PASSWORD):
    return {"username": identifier_of(name), "password": password}


def make_person(name, **flags):
    model = get_user_model()
    fields = {model.USERNAME_FIELD: identifier_of(name), "password": PASSWORD, **flags}
    if model.USERNAME_FIELD == "username":
        fields["email"] = f"{name}@example.org"
    return model.objects.create_user(**fields)


def make_boss():
    return make_person("boss", is_staff=True, is_superuser=True)


def admin_page(page, *arguments, model=None):
    """Return the address of an admin page of *model*, by default the user model."""
    from django.urls import reverse

    opts = (model or get_user_model())._meta
    return reverse(f"admin:{opts.app_label}_{opts.model_name}_{page}", args=arguments)


def form_of(response, **changes):
    """Return what a browser would send of an admin page, with *changes*."""
    data = {}
    context = response.context
    forms = [context["adminform"].form]
    for inline in context["inline_admin_formsets"]:
        forms += [inline.formset.management_form, *inline.formset.forms]
    for form in forms:
        for bound in form:
            value = bound.value()
            if value is None or value is False:
                continue
            if hasattr(bound.field.widget, "decompress"):
                values = bound.field.widget.decompress(value)
                data |= {f"{bound.html_name}_{number}": one for number, one in enumerate(values) if one is not None}
            elif isinstance(value, list | tuple | set) or hasattr(value, "values_list"):
                data[bound.html_name] = [getattr(one, "pk", one) for one in value]
            else:
                data[bound.html_name] = value
    return {name: _text(value) for name, value in {**data, **changes}.items()}


def _text(value):
    if isinstance(value, list):
        return [str(one) for one in value]
    return "on" if value is True else value
