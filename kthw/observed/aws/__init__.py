"""EC2, read-only: the one door through which what AWS says comes in."""
