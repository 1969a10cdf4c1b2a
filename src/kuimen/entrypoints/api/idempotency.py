"""The same command sent twice is done once.

Same key in progress answers 409; done answers the stored references again; same key with another body answers 422.
A call that fails leaves no trace, so the caller may try again under the same key.
"""

import json
from collections.abc import Callable, Mapping

from django.db import IntegrityError, transaction
from django.http import HttpRequest

from kuimen.entrypoints.api.models import IdempotentCall
from kuimen.foundation.errors import ConflictError, InvalidInputError, KuimenError
from kuimen.gate.access.rules import Subject
from kuimen.kernels.ciphers import sm3

HEADER = "Idempotency-Key"
LONGEST_KEY = 128
SHORTEST_KEY = 8

Answer = dict[str, object]


class IdempotencyKeyMissingError(InvalidInputError):
    """A state-changing call came without a usable key."""

    code = "api.idempotency_key"


class IdempotencyKeyReusedError(InvalidInputError):
    """The key was used with another body."""

    code = "api.idempotency_key_reused"


class CallInProgressError(ConflictError):
    """The same call is being worked on at this moment."""

    code = "api.call_in_progress"


def idempotency_key(request: HttpRequest) -> str:
    """Read the key header.

    Raises:
        IdempotencyKeyMissingError: no key, or one shorter than 8 or longer than 128 characters.
    """
    key = request.headers.get(HEADER, "")
    if not SHORTEST_KEY <= len(key) <= LONGEST_KEY or not key.isascii():
        raise IdempotencyKeyMissingError(f"send a header {HEADER} of 8 to 128 ASCII characters with this call")
    return key


def do_once(request: HttpRequest, subject: Subject, body: Mapping[str, object], act: Callable[[], Answer]) -> Answer:
    """Run `act` under the request's key, or answer as before.

    The key, the act and its answer are one transaction: after a crash the key is free again.
    """
    key = idempotency_key(request)
    route = f"{request.method} {request.path}"
    digest = sm3(json.dumps(body, sort_keys=True, default=str).encode())
    where = {"staff_no": subject.staff_no, "route": route, "key": key}
    with transaction.atomic():
        try:
            with transaction.atomic():
                call = IdempotentCall.objects.create(**where, request_digest=digest)
        except IntegrityError:
            return _answer_again(where, digest)
        answer = act()
        call.answer = answer
        call.save(update_fields=["answer"])
        return answer


def do_once_apart(
    request: HttpRequest, subject: Subject, body: Mapping[str, object], act: Callable[[], Answer]
) -> Answer:
    """Run an act that opens a transaction of its own, under the request's key, or answer as before.

    The key is taken first and freed where the act refuses. A crash in between leaves it taken, so the caller draws a
    new one: an attempt that may have counted is never run twice unseen.
    """
    where = {"staff_no": subject.staff_no, "route": f"{request.method} {request.path}", "key": idempotency_key(request)}
    digest = sm3(json.dumps(body, sort_keys=True, default=str).encode())
    try:
        with transaction.atomic():
            call = IdempotentCall.objects.create(**where, request_digest=digest)
    except IntegrityError:
        return _answer_again(where, digest)
    try:
        answer = act()
    except KuimenError:
        call.delete()
        raise
    call.answer = answer
    call.save(update_fields=["answer"])
    return answer


def _answer_again(where: Mapping[str, str], digest: bytes) -> Answer:
    """Give the stored references; PostgreSQL made us wait until the first call had ended."""
    done = IdempotentCall.objects.filter(**where).first()
    if done is None or done.answer is None:
        raise CallInProgressError("the same call ended this moment; send it again")
    if bytes(done.request_digest) != digest:
        raise IdempotencyKeyReusedError(f"this {HEADER} was used with another body; draw a new one")
    return {**done.answer, "replayed": True}
