"""Filesystems: the protocol, the resolver, and the sources of directories.

They raise ``OSError`` with a host errno and nothing else, and know neither rights, descriptors
nor guest memory.
"""
