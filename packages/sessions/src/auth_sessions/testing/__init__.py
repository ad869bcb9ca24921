"""What tests of this and of other packages build on; never imported by running code."""
