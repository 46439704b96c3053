"""A night over an account, told to somebody: a job's summary, an issue, a webhook. It judges a recording."""
