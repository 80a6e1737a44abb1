"""What ``rights=`` means."""

from wasi_spec.numbers import ALL_RIGHTS


def granted(rights: str | int) -> tuple[int, bool]:
    """Return the mask of what is granted, and whether opens are strict.

    Args:
        rights: ``"grant"``, ``"strict"``, or a set of ``wasi_spec.Rights``: grant, but nothing
            beyond the set.

    Raises:
        ValueError: another word.
    """
    if isinstance(rights, int):
        return int(rights) & ALL_RIGHTS, False
    if rights in ("grant", "strict"):
        return ALL_RIGHTS, rights == "strict"
    raise ValueError(f"rights is 'grant', 'strict' or a set of wasi_spec.Rights, not {rights!r}")
