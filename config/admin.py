"""The staff's site."""

from django.contrib.admin import AdminSite


class StaffSite(AdminSite):
    """Django's admin, named for what staff do in it."""

    site_header = "Almoner: staff"
    site_title = "Almoner"
    index_title = "What there is to see and to decide"
