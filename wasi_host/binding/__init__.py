"""From the specification's table to functions an engine can call.

``codec`` knows how each type crosses the border, ``shim`` compiles a row of the table into a
function, ``context`` is one instance's state on the engine's side, ``memory`` holds what is
known about the views of guest memory. Nothing here knows an engine, a descriptor or a file.
"""
