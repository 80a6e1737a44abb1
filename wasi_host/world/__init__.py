"""What surrounds a guest: clocks, randomness, waiting, and the streams it reads and writes.

Raises ``OSError`` with a host errno, and ``Stopped`` where a run was asked to stop. Knows no
descriptors, rights or WASI errnos.
"""
