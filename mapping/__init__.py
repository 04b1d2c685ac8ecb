"""From frames to named sites: pure, no device, no file, no clock, no await."""
