"""For tests of sites that have the trail."""
