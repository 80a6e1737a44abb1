"""A script that says hello on this project: `python hello_ours.py MODULE`."""

import sys

import wasi_host

sys.exit(wasi_host.run([sys.argv[1]]).returncode)
