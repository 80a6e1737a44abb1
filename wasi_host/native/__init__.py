"""The calls that programs make most, in one plain C file without any Python API.

``host.c`` holds the essay. Where its shared object is missing, of another version, or switched
off, everything is served in Python, and nothing else differs.
"""
