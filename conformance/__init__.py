"""Conformance: the tests of the spec, kept apart from the host that is tested.

The package knows the spec, the errors and the front end of `wasi_host`, and nothing of what
lies between: whatever it finds out, a user could have found out.
"""
