"""A history: one line a run, the recordings beside it, and what changed from one run to another."""
