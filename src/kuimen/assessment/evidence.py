"""Turns what a probe saw into bytes that can be kept, digested and checked again later."""

import hashlib
import json
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from kuimen.kernels.ciphers.digests import sm3
from kuimen.standard import ProbeResult, RegisteredProbe


@dataclass(frozen=True, slots=True, kw_only=True)
class Digests:
    """Two digests of the same bytes, for readers of either tradition.

    Attributes:
        sm3: 32 bytes, GB/T 32905.
        sha256: 32 bytes, FIPS 180-4.
    """

    sm3: bytes
    sha256: bytes


def digests_of(body: bytes) -> Digests:
    """Return both digests of `body`."""
    return Digests(sm3=sm3(body), sha256=hashlib.sha256(body).digest())


def canonical(document: object) -> bytes:
    """Return the one byte string of a JSON document: UTF-8, sorted keys, no spaces."""
    return json.dumps(document, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def evidence_body(
    assessment_id: UUID, *, probe: RegisteredProbe, result: ProbeResult | None, fault: str, at: datetime
) -> bytes:
    """Return the stored bytes of one piece of evidence.

    Args:
        assessment_id: the assessment it belongs to.
        probe: who looked.
        result: what it reported, None when it broke.
        fault: code of the error it broke with.
        at: when it looked.
    """
    observations = [] if result is None else [
        {
            "title_zh": seen.title_zh,
            "title_en": seen.title_en,
            "facts": dict(seen.facts),
            "reference": seen.reference,
        }
        for seen in result.observations
    ]  # fmt: skip
    return canonical(
        {
            "assessment": str(assessment_id),
            "clause": probe.clause,
            "probe": probe.name,
            "title_zh": probe.title_zh,
            "title_en": probe.title_en,
            "observed_at": at.isoformat(),
            "outcome": "" if result is None else result.outcome.value,
            "fault": fault,
            "observations": observations,
        }
    )
