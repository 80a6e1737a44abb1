"""Greets whoever is named on the command line."""

import sys


def greet(name: str) -> str:
    return f"hello, {name}"


def main() -> None:
    for name in sys.argv[1:] or ["world"]:
        print(greet(name))


if __name__ == "__main__":
    main()
