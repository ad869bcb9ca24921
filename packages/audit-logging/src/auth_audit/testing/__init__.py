"""Support for tests of sites that use the trail."""
