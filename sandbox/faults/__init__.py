"""What people do wrong, as shell lines that do it and what must be said: the fault catalogue, as data."""
