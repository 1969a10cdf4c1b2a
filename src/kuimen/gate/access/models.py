"""Tables of people, posts, grants, sign-in and tokens."""

from typing import Any, ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.db import models
from django.utils.translation import gettext_lazy as _
from typing_extensions import override

from kuimen.foundation import clock


class StaffManager(BaseUserManager["Staff"]):
    """Creates staff accounts without any right: rights come from approved grants alone."""

    def create_user(self, staff_no: str, *, display_name: str, password: str | None = None, **fields: Any) -> "Staff":  # noqa: ANN401 - Django's own signature
        """Create one account; `password` None gives an account that cannot sign in by password."""
        staff = self.model(staff_no=staff_no, display_name=display_name, **fields)
        staff.set_password(password)
        staff.save(using=self._db)
        return staff


class Staff(AbstractBaseUser):
    """One person, one account, known by the staff number.

    It holds no e-mail, no phone and no administrator flag: `has_perm` says no to everybody, because Django's
    permissions are not how Kuimen decides.
    """

    staff_no = models.CharField(_("工号"), max_length=32, unique=True)
    display_name = models.CharField(_("姓名(工作身份)"), max_length=64)
    is_active = models.BooleanField(default=True)
    created_at = models.DateTimeField(default=clock.now, editable=False)
    left_at = models.DateTimeField(null=True, blank=True)

    objects: ClassVar[StaffManager] = StaffManager()

    USERNAME_FIELD = "staff_no"
    REQUIRED_FIELDS: ClassVar[list[str]] = ["display_name"]

    class Meta:
        db_table = "access_staff"

    @override
    def __str__(self) -> str:
        return self.staff_no

    def has_perm(self, _perm: str, _obj: object = None, /) -> bool:
        """Say no: rights are decided by policy over grants, never by Django permissions."""
        return False

    def has_perms(self, _perms: object, _obj: object = None, /) -> bool:
        """Say no, as `has_perm`."""
        return False

    def has_module_perms(self, _app_label: str, /) -> bool:
        """Say no, as `has_perm`."""
        return False
