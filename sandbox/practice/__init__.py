"""``python -m sandbox practice``: a lab with hidden faults, a shell to find and mend them in, and a score."""
