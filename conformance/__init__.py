"""Conformance: the tests of the spec, kept apart from the host that is tested.

The package sits above the public face of `wasi_host` and sees nothing below it: what it
can reach is what every user can reach.
"""
