"""``python -m wasi_host`` is the command ``wasi-host``."""

from wasi_host.cli import main

if __name__ == "__main__":
    main()
