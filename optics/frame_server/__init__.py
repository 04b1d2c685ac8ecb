"""A process of its own that puts any camera behind the frame-server protocol."""
