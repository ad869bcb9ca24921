"""Sites that had users before auth_core came. `test_guest_sites` runs the visits of each."""
