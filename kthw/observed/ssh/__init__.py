"""The way into a worker: how to get there, whom to trust, and the conversation there."""
