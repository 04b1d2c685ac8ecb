"""One file per device, written from its manual and judged by transcripts."""
