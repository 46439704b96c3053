"""What the chapter promises: the first column of every comparison."""
