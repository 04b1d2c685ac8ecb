"""What the instrument says and understands: one file for each subsystem, each a table."""
