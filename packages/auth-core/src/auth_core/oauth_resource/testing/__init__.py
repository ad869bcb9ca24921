"""What tests of this app and of sites that use it need. Running code never imports it."""
