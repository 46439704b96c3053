"""The words people read, and how they are filled: the ground floor."""
