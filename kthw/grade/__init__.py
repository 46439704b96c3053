"""A class: what many students handed in, judged again from its evidence, as rows, pages and points."""
