"""Tables of people, posts, grants, sign-in and tokens."""

from typing import Any, ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.db import models
from django.utils.translation import gettext_lazy as _
from typing_extensions import override

from kuimen.foundation import clock
from kuimen.foundation.identifiers import new_ref
from kuimen.gate.access.change_rules import ChangeKind, ChangeState
from kuimen.gate.access.personnel_rules import FileItem
from kuimen.gate.access.rules import GrantState, Role


class Agency(models.Model):
    """An outsourced collection agency; its code is the row scope of its staff."""

    code = models.CharField(max_length=32, unique=True)
    name = models.CharField(max_length=128)  # house-lint: personal-column, an agency is a company
    is_active = models.BooleanField(default=True)
    created_at = models.DateTimeField(default=clock.now, editable=False)

    class Meta:
        db_table = "access_agency"

    @override
    def __str__(self) -> str:
        return self.code


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
    agency = models.ForeignKey(Agency, null=True, blank=True, on_delete=models.PROTECT, related_name="staff")
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


class Post(models.Model):
    """A post of the organisation; roles hang on posts, people hold posts."""

    code = models.CharField(max_length=32, unique=True)
    title_zh = models.CharField(max_length=64)
    title_en = models.CharField(max_length=64)

    class Meta:
        db_table = "access_post"

    @override
    def __str__(self) -> str:
        return self.code


class PostRole(models.Model):
    """The role-post matrix: which roles may be applied for from which post."""

    post = models.ForeignKey(Post, on_delete=models.CASCADE, related_name="roles")
    role = models.CharField(max_length=32, choices=[(role.value, role.value) for role in Role])

    class Meta:
        db_table = "access_post_role"
        constraints = (models.UniqueConstraint(fields=["post", "role"], name="access_post_role_once"),)

    @override
    def __str__(self) -> str:
        return f"{self.post_id}:{self.role}"


class Posting(models.Model):
    """One person on one post for a time."""

    staff = models.ForeignKey(Staff, on_delete=models.PROTECT, related_name="postings")
    post = models.ForeignKey(Post, on_delete=models.PROTECT, related_name="postings")
    started_at = models.DateTimeField(default=clock.now)
    ended_at = models.DateTimeField(null=True)
    assigned_by = models.CharField(max_length=32)  # staff number

    class Meta:
        db_table = "access_posting"
        constraints = (
            models.UniqueConstraint(
                fields=["staff", "post"], condition=models.Q(ended_at__isnull=True), name="access_posting_current_once"
            ),
        )

    @override
    def __str__(self) -> str:
        return f"{self.staff_id}:{self.post_id}"


class RoleGrant(models.Model):
    """A role for a person by a post: applied for by one, approved by another, limited in time, recoverable."""

    grant_id = models.UUIDField(primary_key=True, default=new_ref, editable=False)
    staff = models.ForeignKey(Staff, on_delete=models.PROTECT, related_name="grants")
    role = models.CharField(max_length=32, choices=[(role.value, role.value) for role in Role])
    post = models.ForeignKey(Post, on_delete=models.PROTECT, related_name="grants")
    state = models.CharField(max_length=16, choices=[(state.value, state.value) for state in GrantState])
    reason = models.CharField(max_length=200)
    valid_from = models.DateTimeField()
    valid_until = models.DateTimeField()
    applied_by = models.ForeignKey(Staff, on_delete=models.PROTECT, related_name="+")
    applied_at = models.DateTimeField()
    decided_by = models.ForeignKey(Staff, null=True, on_delete=models.PROTECT, related_name="+")
    decided_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    end_reason = models.CharField(max_length=200, blank=True)
    recovered_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "access_role_grant"
        constraints = (
            models.CheckConstraint(
                condition=models.Q(decided_by__isnull=True)
                | (~models.Q(decided_by=models.F("applied_by")) & ~models.Q(decided_by=models.F("staff"))),
                name="access_grant_four_eyes",
            ),
            models.CheckConstraint(
                condition=~models.Q(state__in=[GrantState.APPROVED.value, GrantState.ACTIVE.value])
                | models.Q(decided_by__isnull=False),
                name="access_grant_active_is_approved",
            ),
            models.CheckConstraint(
                condition=models.Q(valid_from__lt=models.F("valid_until")), name="access_grant_limited_in_time"
            ),
            models.CheckConstraint(
                condition=models.Q(state__in=[state.value for state in GrantState]), name="access_grant_known_state"
            ),
            models.UniqueConstraint(
                fields=["staff", "role"],
                condition=models.Q(state=GrantState.APPLIED.value),
                name="access_grant_applied_once",
            ),
        )
        indexes = (models.Index(fields=["state", "valid_until"], name="access_grant_due"),)

    @override
    def __str__(self) -> str:
        return str(self.grant_id)


class StaffChange(models.Model):
    """A change to people, posts or agencies: made by one officer, decided or countersigned by another, never deleted.

    `content` holds staff numbers, work names, codes of posts and agencies; nothing about customers.
    """

    change_id = models.UUIDField(primary_key=True, default=new_ref, editable=False)
    kind = models.CharField(max_length=32, choices=[(kind.value, kind.value) for kind in ChangeKind])
    state = models.CharField(max_length=16, choices=[(state.value, state.value) for state in ChangeState])
    target = models.CharField(max_length=32)  # staff number, or code of the agency
    content = models.JSONField(default=dict)
    reason = models.CharField(max_length=200)
    maker = models.ForeignKey(Staff, on_delete=models.PROTECT, related_name="+")
    checker = models.ForeignKey(Staff, null=True, on_delete=models.PROTECT, related_name="+")
    proposed_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    decided_at = models.DateTimeField(null=True)
    decision_reason = models.CharField(max_length=200, blank=True)
    first_token_sm3 = models.CharField(max_length=64, blank=True)  # of the maker's activation code

    class Meta:
        db_table = "access_staff_change"
        constraints = (
            models.CheckConstraint(
                condition=models.Q(checker__isnull=True) | ~models.Q(checker=models.F("maker")),
                name="access_change_four_eyes",
            ),
            models.CheckConstraint(
                condition=~models.Q(state__in=[ChangeState.APPLIED.value, ChangeState.COUNTERSIGNED.value])
                | models.Q(checker__isnull=False),
                name="access_change_decided_by_someone",
            ),
            models.CheckConstraint(
                condition=models.Q(state__in=[state.value for state in ChangeState]), name="access_change_known_state"
            ),
            models.UniqueConstraint(
                fields=["kind", "target", "content"],
                condition=models.Q(state=ChangeState.PROPOSED.value),
                name="access_change_proposed_once",
            ),
        )
        indexes = (models.Index(fields=["state", "expires_at"], name="access_change_due"),)

    @override
    def __str__(self) -> str:
        return str(self.change_id)


class Activation(models.Model):
    """An account that waits for its person: two codes, one from each officer, open the way to an own password."""

    change = models.OneToOneField(StaffChange, primary_key=True, on_delete=models.PROTECT, related_name="activation")
    staff = models.ForeignKey(Staff, on_delete=models.PROTECT, related_name="activations")
    first_token_sm3 = models.CharField(max_length=64)
    second_token_sm3 = models.CharField(max_length=64)
    opened_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)
    failures = models.PositiveIntegerField(default=0)

    class Meta:
        db_table = "access_activation"

    @override
    def __str__(self) -> str:
        return str(self.pk)


class PersonnelRecord(models.Model):
    """One entry of a person's file: what was done, when, and where its paper lies. Never changed, never deleted."""

    staff = models.ForeignKey(Staff, on_delete=models.PROTECT, related_name="personnel")
    item = models.CharField(max_length=24, choices=[(item.value, item.value) for item in FileItem])
    done_on = models.DateField()
    valid_until = models.DateField(null=True)
    evidence = models.CharField(max_length=200)
    recorded_by = models.ForeignKey(Staff, on_delete=models.PROTECT, related_name="+")
    recorded_at = models.DateTimeField()

    class Meta:
        db_table = "access_personnel_record"
        constraints = (
            models.CheckConstraint(
                condition=~models.Q(recorded_by=models.F("staff")), name="access_personnel_not_by_oneself"
            ),
        )

    @override
    def __str__(self) -> str:
        return f"{self.staff_id}:{self.item}"


class Appointment(models.Model):
    """The one appointment of the first officers; a second row cannot exist."""

    id = models.SmallIntegerField(primary_key=True, default=1, editable=False)
    appointed_at = models.DateTimeField()
    audit_entry = models.UUIDField()

    class Meta:
        db_table = "access_appointment"
        constraints = (models.CheckConstraint(condition=models.Q(id=1), name="access_appointment_once"),)

    @override
    def __str__(self) -> str:
        return str(self.appointed_at)


class StaffSession(models.Model):
    """A console session of a person: started, last seen, ended. Only the SM3 digest of the session key is kept."""

    session_digest = models.CharField(max_length=64, unique=True)
    staff = models.ForeignKey(Staff, on_delete=models.PROTECT, related_name="console_sessions")
    client_digest = models.CharField(max_length=64, blank=True)  # keyed digest of address and browser
    started_at = models.DateTimeField()
    seen_at = models.DateTimeField()
    second_factor_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    end_reason = models.CharField(max_length=32, blank=True)

    class Meta:
        db_table = "access_staff_session"
        indexes = (models.Index(fields=["staff", "ended_at"], name="access_session_live"),)

    @override
    def __str__(self) -> str:
        return str(self.pk)


class ApiToken(models.Model):
    """A bearer token of a person. The token itself is told once; only its SM3 digest is kept."""

    token_id = models.UUIDField(primary_key=True, default=new_ref, editable=False)
    token_digest = models.CharField(max_length=64, unique=True)
    staff = models.ForeignKey(Staff, on_delete=models.PROTECT, related_name="tokens")
    issued_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True)
    revoke_reason = models.CharField(max_length=32, blank=True)

    class Meta:
        db_table = "access_api_token"
        indexes = (models.Index(fields=["staff", "revoked_at"], name="access_token_live"),)

    @override
    def __str__(self) -> str:
        return str(self.token_id)


class SecondFactorUse(models.Model):
    """The last time step for which a person's code was accepted; a code of this step or before is spent."""

    staff = models.OneToOneField(Staff, primary_key=True, on_delete=models.PROTECT, related_name="factor_use")
    last_step = models.BigIntegerField()

    class Meta:
        db_table = "access_second_factor_use"

    @override
    def __str__(self) -> str:
        return str(self.pk)


class SignInFailures(models.Model):
    """Failed sign-ins of one account in the running window, shared by all workers."""

    staff = models.OneToOneField(Staff, primary_key=True, on_delete=models.PROTECT, related_name="sign_in_failures")
    failures = models.PositiveIntegerField()
    window_started_at = models.DateTimeField()
    locked_until = models.DateTimeField(null=True)

    class Meta:
        db_table = "access_sign_in_failures"

    @override
    def __str__(self) -> str:
        return str(self.pk)
