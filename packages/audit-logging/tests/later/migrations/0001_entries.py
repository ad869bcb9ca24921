"""The package's own first migration."""

from importlib import import_module

Migration = import_module("auth_audit.migrations.0001_entries").Migration
