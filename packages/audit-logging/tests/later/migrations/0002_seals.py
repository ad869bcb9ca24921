"""The package's own second migration."""

from importlib import import_module

Migration = import_module("auth_audit.migrations.0002_seals").Migration
