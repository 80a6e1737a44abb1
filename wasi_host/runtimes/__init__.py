"""Engines. Each module adapts one engine to the shims of ``wasi_host.binding``."""
