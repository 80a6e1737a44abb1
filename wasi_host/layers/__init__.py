"""Wrappers around the calls of a guest: see them, count them, deny, record, replay, spoil them.

A layer wraps functions, not objects: given a row of the specification and the function that
serves it, it returns the function to call instead, or the same one to stay out of the way. It
sees plain values, in and out (``wasi_spec.values``), and what is raised. A call that the shim
refuses (an address outside memory, an undefined flag, text that is no UTF-8) never comes so far.
"""
