"""The admin of this site, in Django's list of apps."""

from django.contrib.admin.apps import AdminConfig as DjangoAdminConfig


class AdminConfig(DjangoAdminConfig):
    """Django's admin under our name and rules."""

    default_site = "config.admin.StaffSite"
