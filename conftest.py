"""The list of plugin modules, and nothing else."""

pytest_plugins = (
    "fixtures.options",
    "fixtures.selection",
    "fixtures.evidence",
    "fixtures.judging",
    "fixtures.reporting",
    "fixtures.standard_output",
    "fixtures.helping",
)
