"""A lab in a file, ``kthw.toml``: read at one door, merged with what was typed, and written."""
