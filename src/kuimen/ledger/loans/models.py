"""Tables of facilities, loans, schedules and postings. Money is yuan to the cent."""

from decimal import Decimal

from django.db import models
from django.db.models import F, Q
from typing_extensions import override

from kuimen.foundation import clock
from kuimen.ledger.loans.rules import LoanStatus, TransactionKind

_STATUSES = [(status.value, status.name) for status in LoanStatus]


def _money() -> "models.DecimalField[Decimal, Decimal]":
    return models.DecimalField(max_digits=14, decimal_places=2)


class Status(models.Model):
    """The status table: what each status means, so that a report in SQL needs no source code."""

    code = models.CharField(
        primary_key=True, max_length=16, choices=[(status.value, status.name) for status in LoanStatus]
    )
    title_zh = models.CharField(max_length=32)
    title_en = models.CharField(max_length=32)
    overdue = models.BooleanField()
    days_from = models.IntegerField(null=True)
    days_to = models.IntegerField(null=True)

    class Meta:
        db_table = "loans_status"

    @override
    def __str__(self) -> str:
        return str(self.code)


class Facility(models.Model):
    """A credit line granted to one customer."""

    facility_ref = models.UUIDField(primary_key=True)
    customer = models.ForeignKey("customers.Customer", on_delete=models.PROTECT, related_name="facilities")
    source_id = models.CharField(max_length=64)
    source_key = models.CharField(max_length=200)
    credit_limit = _money()
    granted_on = models.DateField()

    class Meta:
        db_table = "loans_facility"
        constraints = (
            models.UniqueConstraint(fields=["source_id", "source_key"], name="loans_facility_source"),
            models.CheckConstraint(condition=Q(credit_limit__gt=0), name="loans_facility_limit_positive"),
        )

    @override
    def __str__(self) -> str:
        return str(self.facility_ref)


class Loan(models.Model):
    """One loan under `customer_ref`, with the place and digest of the source row it came from."""

    loan_ref = models.UUIDField(primary_key=True)
    customer = models.ForeignKey("customers.Customer", on_delete=models.PROTECT, related_name="loans")
    facility = models.ForeignKey(Facility, on_delete=models.PROTECT, related_name="loans")
    source_id = models.CharField(max_length=64)
    source_table = models.CharField(max_length=128)
    source_key = models.CharField(max_length=200)
    source_digest = models.BinaryField(max_length=32)
    principal = _money()
    annual_rate = models.DecimalField(max_digits=7, decimal_places=4, help_text="percent a year")
    term_months = models.PositiveSmallIntegerField()
    instalment = _money()
    issued_on = models.DateField()
    status = models.ForeignKey(Status, on_delete=models.PROTECT, db_column="status", related_name="+")
    balance = _money()
    paid_principal = _money()
    paid_interest = _money()
    paid_late_fees = _money()
    written_off = _money()
    imported_at = models.DateTimeField(default=clock.now)

    class Meta:
        db_table = "loans_loan"
        constraints = (
            models.UniqueConstraint(fields=["source_id", "source_table", "source_key"], name="loans_loan_source"),
            models.CheckConstraint(
                condition=Q(principal__gt=0, term_months__gt=0, annual_rate__gte=0, instalment__gte=0),
                name="loans_loan_terms",
            ),
            models.CheckConstraint(
                condition=Q(
                    balance__gte=0,
                    paid_principal__gte=0,
                    paid_interest__gte=0,
                    paid_late_fees__gte=0,
                    written_off__gte=0,
                ),
                name="loans_loan_no_negative",
            ),
            models.CheckConstraint(
                condition=Q(principal=F("paid_principal") + F("balance") + F("written_off")),
                name="loans_loan_principal_adds_up",
            ),
            models.CheckConstraint(
                condition=Q(written_off=0) | Q(status=LoanStatus.CHARGED_OFF.value),
                name="loans_loan_loss_is_charged_off",
            ),
        )

    @override
    def __str__(self) -> str:
        return str(self.loan_ref)


class Instalment(models.Model):
    """One line of a loan's contractual schedule."""

    # No surrogate key: half a million lines cost one index instead of three.
    pk = models.CompositePrimaryKey("loan_id", "number")
    loan = models.ForeignKey(Loan, on_delete=models.PROTECT, related_name="instalments", db_index=False)
    number = models.PositiveSmallIntegerField()
    due_on = models.DateField()
    principal = _money()
    interest = _money()
    balance_after = _money()

    class Meta:
        db_table = "loans_instalment"
        constraints = (
            models.CheckConstraint(
                condition=Q(principal__gte=0, interest__gte=0, balance_after__gte=0),
                name="loans_instalment_no_negative",
            ),
        )

    @override
    def __str__(self) -> str:
        return f"{self.loan_id}#{self.number}"


class Transaction(models.Model):
    """One posting, append-only: the application role may insert and read, a correction is a posting of its own."""

    loan = models.ForeignKey(Loan, on_delete=models.PROTECT, related_name="transactions", db_index=False)
    kind = models.CharField(max_length=16, choices=[(kind.value, kind.name) for kind in TransactionKind])
    booked_on = models.DateField()
    amount = _money()
    source_key = models.CharField(max_length=200)

    class Meta:
        db_table = "loans_transaction"
        constraints = (
            models.UniqueConstraint(fields=["loan", "kind", "source_key"], name="loans_transaction_source"),
            models.CheckConstraint(
                condition=Q(kind__in=[kind.value for kind in TransactionKind]), name="loans_transaction_kind"
            ),
        )

    @override
    def __str__(self) -> str:
        return f"{self.loan_id} {self.kind}"
