"""The test kit for this and other packages. Running code never imports it."""
