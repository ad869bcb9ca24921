"""The package's own third migration."""

from importlib import import_module

Migration = import_module("auth_audit.migrations.0003_bounds").Migration
