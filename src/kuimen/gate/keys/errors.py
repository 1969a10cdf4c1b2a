"""What can go wrong with keys. No message holds a passphrase, a key or a digest of one."""

from typing import ClassVar

from kuimen.foundation.errors import (
    ConflictError,
    DeniedError,
    InvalidInputError,
    NotFoundError,
    TamperError,
    UnavailableError,
)


class KeysLockedError(UnavailableError):
    """The keyring of this process is locked; the two custodians must unlock it."""

    code: ClassVar[str] = "keys.locked"


class KeyStoreError(UnavailableError):
    """The key database did not answer; nothing was created or disclosed."""

    code: ClassVar[str] = "keys.store_unavailable"


class WrongPassphraseError(DeniedError):
    """A custodian's passphrase does not open that custodian's share."""

    code: ClassVar[str] = "keys.wrong_passphrase"

    def __init__(self, custodian: str) -> None:
        """Name the custodian (a staff number), never the passphrase."""
        super().__init__(f"the passphrase of custodian {custodian} does not open the share; enter it again")
        self.custodian = custodian


class MissingCustodianError(InvalidInputError):
    """A custodian of the root file gave no passphrase, or somebody else gave one."""

    code: ClassVar[str] = "keys.missing_custodian"


class UnknownCustodianError(NotFoundError):
    """Nobody of this staff number holds a share of the root."""

    code: ClassVar[str] = "keys.unknown_custodian"


class ShareInputError(InvalidInputError):
    """A secret cannot be shared, or joined, as asked."""

    code: ClassVar[str] = "keys.share_input"


class WeakPassphraseError(InvalidInputError):
    """A new passphrase is too short, or both custodians chose the same."""

    code: ClassVar[str] = "keys.weak_passphrase"


class RootFileMissingError(NotFoundError):
    """There is no root file at the given place."""

    code: ClassVar[str] = "keys.root_missing"


class RootFileExistsError(ConflictError):
    """A root file is already there; a second one would orphan every sealed value."""

    code: ClassVar[str] = "keys.root_exists"


class RootFileAlteredError(TamperError):
    """The root file was changed, cut or assembled from parts of different files."""

    code: ClassVar[str] = "keys.root_altered"


class RootFileVersionError(InvalidInputError):
    """The root file has a format version that this release cannot read."""

    code: ClassVar[str] = "keys.root_version"


class RootFilePermissionError(DeniedError):
    """The root file can be read or written by others than its owner."""

    code: ClassVar[str] = "keys.root_permissions"


class KeyAlteredError(TamperError):
    """A wrapped key does not open under its parent: it was altered or moved from another row."""

    code: ClassVar[str] = "keys.key_altered"


class KeyMissingError(NotFoundError):
    """The generation of the key that a sealed value names is not in the key database."""

    code: ClassVar[str] = "keys.key_missing"


class KeyDestroyedError(ConflictError):
    """The key was suspended or destroyed; it is never created again for the same person and class."""

    code: ClassVar[str] = "keys.key_destroyed"


class KeyTransitionError(ConflictError):
    """The state table does not allow this change of a key's state."""

    code: ClassVar[str] = "keys.transition"


class KeyUsesExhaustedError(ConflictError):
    """A key was leased for as many uses as random nonces allow; it seals nothing more, and still opens."""

    code: ClassVar[str] = "keys.uses_exhausted"


class RootMismatchError(ConflictError):
    """The keys of this installation are wrapped under another root than the one that was opened."""

    code: ClassVar[str] = "keys.root_mismatch"


class DomainKeyInUseError(ConflictError):
    """Keys are still wrapped under this version of the domain key; destroying it would lose them."""

    code: ClassVar[str] = "keys.domain_in_use"


class RotationConflictError(ConflictError):
    """Another process works on the same rotation; this one steps back."""

    code: ClassVar[str] = "keys.rotation_conflict"


class TokenUnavailableError(UnavailableError):
    """The PKCS#11 token did not answer, is locked, or its module is not installed."""

    code: ClassVar[str] = "keys.token_unavailable"


class TokenInputError(InvalidInputError):
    """A module, token or key label was given that the token does not know."""

    code: ClassVar[str] = "keys.token_input"


class KeyStorePutBackError(UnavailableError):
    """The key database was put back to an earlier state while this process held keys; unlock again, which replays."""

    code: ClassVar[str] = "keys.put_back"


class ShredOrderError(ConflictError):
    """Another line of the shred ledger came first; read the ledger again."""

    code: ClassVar[str] = "keys.shred_order"


class DeedInputError(InvalidInputError):
    """A deed about keys was asked for with a part missing or malformed."""

    code: ClassVar[str] = "keys.deed_input"


class OrderNotFoundError(NotFoundError):
    """There is no such order of a rotation job."""

    code: ClassVar[str] = "keys.order_not_found"


class OrderTransitionError(ConflictError):
    """The state of an order does not allow this: it is paused, finished, or not paused."""

    code: ClassVar[str] = "keys.order_transition"


class OrderStandsError(ConflictError):
    """An order of the same job is open already."""

    code: ClassVar[str] = "keys.order_stands"


class RotationPausedError(ConflictError):
    """Somebody paused the job; it stopped behind a whole batch, and nothing is lost."""

    code: ClassVar[str] = "keys.rotation_paused"


class BackupInputError(InvalidInputError):
    """The copy of the key folder that was shown is missing, unreadable, or not of the present state."""

    code: ClassVar[str] = "keys.backup_input"
