"""Names that protection gives to columns and views: recognisable, unique, within PostgreSQL's 63 bytes."""

import hashlib
from collections.abc import Collection

_LONGEST = 63
_DIGEST = 8


def with_suffix(name: str, suffix: str, *, taken: Collection[str] = ()) -> str:
    """Return `name` + `suffix`, shortened with a digest where too long, numbered where taken.

    >>> with_suffix("mobile", "_ref"), with_suffix("mobile", "_ref", taken={"mobile_ref"})
    ('mobile_ref', 'mobile_ref_2')
    """
    full = _fit(name, suffix)
    number = 2
    while full in taken:
        full = _fit(name, f"{suffix}_{number}")
        number += 1
    return full


def _fit(name: str, suffix: str) -> str:
    if len((name + suffix).encode()) <= _LONGEST:
        return name + suffix
    digest = hashlib.sha256(name.encode()).hexdigest()[:_DIGEST]
    room = _LONGEST - len(suffix.encode()) - _DIGEST - 1
    return f"{name.encode()[:room].decode(errors='ignore')}_{digest}{suffix}"
