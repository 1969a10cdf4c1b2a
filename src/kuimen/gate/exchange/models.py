"""Tables of partners' certificates, seen nonces, and messages kept as evidence."""

from typing import ClassVar

from django.db import models
from typing_extensions import override

from kuimen.foundation.identifiers import new_ref
from kuimen.gate.exchange.rules import CertificateState, KeyUse


class PartnerCertificate(models.Model):
    """A certificate of an SM2 key that two persons accepted for one partner and one use."""

    key_id = models.CharField(max_length=64, primary_key=True)  # SM3 of the certificate
    partner_id = models.CharField(max_length=64)
    use = models.CharField(max_length=8, choices=[(use.value, use.value) for use in KeyUse])
    certificate = models.TextField()  # PEM, public
    chain = models.TextField()  # PEM of those between it and its root, in order, and the root; public
    state = models.CharField(max_length=8, choices=[(state.value, state.value) for state in CertificateState])
    registered_at = models.DateTimeField()
    registered_by = models.CharField(max_length=32)
    closed_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "exchange_certificate"
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["partner_id", "use"],
                condition=models.Q(state=CertificateState.ACTIVE.value),
                name="exchange_certificate_one_active",
            ),
        ]

    @override
    def __str__(self) -> str:
        return f"{self.partner_id}/{self.use}/{self.key_id[:16]}"


class SeenNonce(models.Model):
    """A nonce that a partner used; a second message with it is a replay."""

    partner_id = models.CharField(max_length=64)
    nonce = models.CharField(max_length=64)
    forget_at = models.DateTimeField(db_index=True)

    class Meta:
        db_table = "exchange_nonce"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["partner_id", "nonce"], name="exchange_nonce_once"),
        ]

    @override
    def __str__(self) -> str:
        return f"{self.partner_id}/{self.nonce}"


class KeptMessage(models.Model):
    """A message as it went over the wire: still encrypted, with the signature that proves its sender. Never changed."""

    exchange_id = models.UUIDField(primary_key=True, default=new_ref, editable=False)
    inbound = models.BooleanField()
    partner_id = models.CharField(max_length=64)
    partner_key_id = models.CharField(max_length=64)
    own_key_id = models.CharField(max_length=64)
    nonce = models.CharField(max_length=64)
    reply_to = models.CharField(max_length=64)
    signed_fields = models.BinaryField()
    sealed_body = models.BinaryField()
    signature = models.BinaryField()
    kept_at = models.DateTimeField()

    class Meta:
        db_table = "exchange_message"
        indexes: ClassVar = [models.Index(fields=["partner_id", "kept_at"], name="exchange_message_partner")]

    @override
    def __str__(self) -> str:
        return str(self.exchange_id)
