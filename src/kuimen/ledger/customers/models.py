"""Customers by reference only: whoever a reference means is known to the vault alone."""

from django.db import models
from typing_extensions import override

from kuimen.foundation import clock


class Customer(models.Model):
    """One customer of the institution. The reference is random and tells nothing about the person."""

    customer_ref = models.UUIDField(primary_key=True)
    first_seen_at = models.DateTimeField(default=clock.now, editable=False)

    class Meta:
        db_table = "customers_customer"

    @override
    def __str__(self) -> str:
        return str(self.customer_ref)
