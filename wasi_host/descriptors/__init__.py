"""Open things as a guest sees them: rights, flags, a position, and the table of numbers."""
