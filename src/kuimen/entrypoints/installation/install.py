"""`kuimen init`: configuration, databases, sealed root key, the first two officers, audit entry 1. Once."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import UUID

import psycopg

from kuimen.entrypoints.installation import config
from kuimen.entrypoints.installation.database import prepare_databases, setup_django
from kuimen.entrypoints.installation.errors import AlreadyInitialisedError, ConfigurationError, NotInitialisedError
from kuimen.entrypoints.installation.home import InstallationHome
from kuimen.entrypoints.installation.servers import (
    APPLICATION,
    MAIN_DATABASE,
    EmbeddedServer,
    ExternalServer,
    dsn,
    server_of,
)
from kuimen.foundation.identifiers import new_ref
from kuimen.foundation.sensitive import Sensitive

if TYPE_CHECKING:
    from kuimen.gate.keys.root_file import Argon2Cost

APPOINTED = "the first officers of this installation were appointed; it is not initialised again"


@dataclass(frozen=True, slots=True, kw_only=True)
class Officer:
    """One of the two first officers: custodian of one share of the root key as well.

    Attributes:
        staff_no: the staff number, capital letters and digits.
        display_name: work identity shown to colleagues.
        password: for signing in; the second factor is enrolled at the first sign-in.
        passphrase: seals this officer's share of the root key.
    """

    staff_no: str
    display_name: str
    password: Sensitive[str]
    passphrase: Sensitive[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class InitialisationReport:
    """What stands after `kuimen init`; nothing in it is secret."""

    home: Path
    institution_id: UUID
    officers: tuple[str, ...]
    root_fingerprint: str
    signing_key_id: str
    signing_public_key: bytes
    first_entry: UUID


def initialise(
    home: InstallationHome,
    *,
    configuration: config.Configuration,
    officers: Sequence[Officer],
    server: EmbeddedServer | ExternalServer | None = None,
    cost: "Argon2Cost | None" = None,
) -> InitialisationReport:
    """Bring an installation to life; the server is running and the keys are unlocked when it returns.

    A call that was cut may be repeated: it takes up the root file and the configuration that are there. After the
    appointment every further call is refused.

    Args:
        home: where it shall live.
        configuration: institution, overlay, port; an institution id of all zeros is drawn.
        officers: exactly two people.
        server: the server to use; by default as `server_of` chooses.
        cost: cost of one passphrase guess; tests pass a lower one.

    Raises:
        AlreadyInitialisedError: the first officers were appointed before.
        ConfigurationError: no institution name, or an address of the operator's server is missing.
        WeakPassphraseError, MissingCustodianError, StaffInputError: as the rooms name them; nothing was appointed.
    """
    if not configuration.institution_name:
        raise ConfigurationError("name the institution that this installation belongs to")
    home.create()
    _refuse_second_home(home)
    chosen = server or server_of(home)
    if isinstance(chosen, EmbeddedServer):
        chosen.postgres.start()
    _refuse_second_appointment(chosen)
    config.save(home, _with_institution(home, configuration))
    prepare_databases(home, server=chosen)
    return _appoint_and_seal(home, officers, cost)


@contextmanager
def opened(home: InstallationHome, *, server: EmbeddedServer | ExternalServer | None = None) -> Iterator[None]:
    """Hold an initialised installation open for the length of a block: server up, Django loaded, keys still locked.

    The embedded server stops at the end unless another process uses it.

    Raises:
        NotInitialisedError: nothing stands in `home` yet.
    """
    if not home.initialised:
        raise NotInitialisedError(f"{home.root} holds no installation; run `kuimen init` first")
    chosen = server or server_of(home)
    with chosen.running():
        setup_django(home)
        try:
            yield
        finally:
            from django.db import connections  # noqa: PLC0415 - settings exist only by now

            connections.close_all()


def _with_institution(home: InstallationHome, configuration: config.Configuration) -> config.Configuration:
    """Keep the institution id of an initialisation that was cut; draw one otherwise."""
    if configuration.institution_id.int:
        return configuration
    known = config.load(home).institution_id
    return replace(configuration, institution_id=known if known.int else new_ref())


def _refuse_second_home(home: InstallationHome) -> None:
    """Refuse before anything is written, where a completed initialisation left its mark."""
    if _mark(home).exists():
        raise AlreadyInitialisedError(APPOINTED)


def _mark(home: InstallationHome) -> Path:
    return home.run / "appointed"


def _refuse_second_appointment(server: EmbeddedServer | ExternalServer) -> None:
    """Ask the database itself, before anything is written: it remembers even when the mark is gone."""
    try:
        with psycopg.connect(dsn(server, APPLICATION, MAIN_DATABASE), connect_timeout=10) as session:
            row = session.execute("SELECT EXISTS (SELECT 1 FROM access_appointment)").fetchone()
    except (psycopg.OperationalError, psycopg.errors.UndefinedTable):
        return  # neither roles nor tables yet; a server that is down fails in preparing
    if row == (True,):
        raise AlreadyInitialisedError(APPOINTED)


def _appoint_and_seal(
    home: InstallationHome, officers: Sequence[Officer], cost: "Argon2Cost | None"
) -> InitialisationReport:
    """Seal the root first, which can be repeated; appoint then, which cannot; open the root last."""
    from django.conf import settings  # noqa: PLC0415 - settings exist only by now

    from kuimen.gate.access import services as access  # noqa: PLC0415
    from kuimen.gate.audit import services as audit  # noqa: PLC0415
    from kuimen.gate.audit.models import Entry  # noqa: PLC0415
    from kuimen.gate.keys import services as keys  # noqa: PLC0415
    from kuimen.gate.keys.root_file import PRODUCTION_COST, create_root_file  # noqa: PLC0415

    passphrases = _passphrases(officers)
    if not home.root_key.exists():
        create_root_file(
            home.root_key,
            passphrases=passphrases,
            institution_id=settings.KUIMEN_INSTITUTION_ID,
            cost=cost or PRODUCTION_COST,
        )
    people = [
        access.NewOfficer(staff_no=officer.staff_no, display_name=officer.display_name, password=officer.password)
        for officer in officers
    ]
    access.appoint_first_officers(people, actor=audit.SYSTEM)
    _mark(home).touch(mode=0o600)
    ring = keys.unlock(home.root_key, passphrases)
    signer = ring.signer()
    audit.sequence_pending(signer)
    return InitialisationReport(
        home=home.root,
        institution_id=settings.KUIMEN_INSTITUTION_ID,
        officers=tuple(officer.staff_no for officer in officers),
        root_fingerprint=ring.root_fingerprint,
        signing_key_id=signer.key_id,
        signing_public_key=signer.public_bytes(),
        first_entry=Entry.objects.order_by("id").values_list("entry_id", flat=True)[0],
    )


def _passphrases(officers: Sequence[Officer]) -> Mapping[str, str]:
    return {officer.staff_no: officer.passphrase.reveal_for("seal the root key") for officer in officers}
