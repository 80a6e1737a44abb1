"""One script for each host; each runs one guest over one directory, in a process of its own."""
