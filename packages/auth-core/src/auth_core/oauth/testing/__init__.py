"""What tests of this app and of other packages use. Running code never imports it."""
