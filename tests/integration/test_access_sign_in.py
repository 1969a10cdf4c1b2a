"""Signing in: tokens over the API, sessions over the console, one code once, lock-out for all workers."""

import base64
import hashlib
from collections.abc import Iterator
from datetime import timedelta
from http import HTTPStatus
from pathlib import Path

import allauth
import pytest
from allauth.mfa.models import Authenticator
from django.contrib.sessions.models import Session
from django.http import HttpResponse
from django.test import Client
from django.test.utils import override_settings, setup_test_environment, teardown_test_environment
from django.urls import include, path, reverse

from fixtures.at_once import at_once
from fixtures.installed import System
from fixtures.people import OFFICERS, PASSWORD, People, appoint_officers
from kuimen.foundation.errors import TamperError
from kuimen.foundation.sensitive import Sensitive
from kuimen.gate.access import services
from kuimen.gate.access.errors import SecondFactorMissingError, SignInRefusedError, StaffExistsError
from kuimen.gate.access.models import ApiToken, Staff, StaffSession
from kuimen.gate.access.rules import Role
from kuimen.gate.access.services.second_factor import open_seed
from kuimen.gate.audit.models import Entry

urlpatterns = [
    path("accounts/", include("allauth.urls")),
    path("", lambda request: HttpResponse(f"in as {request.user}"), name="start"),
    path("api/v1/ping", lambda request: HttpResponse(f"api as {request.user}")),
]
# allauth's own pages, so that this test stands on the access room alone
PAGES = {
    "BACKEND": "django.template.backends.django.DjangoTemplates",
    "DIRS": [Path(allauth.__file__).parent / "templates"],
    "OPTIONS": {
        "context_processors": [
            "django.template.context_processors.request",
            "django.contrib.auth.context_processors.auth",
            "django.contrib.messages.context_processors.messages",
        ]
    },
}
here = override_settings(ROOT_URLCONF=__name__, TEMPLATES=[PAGES])


@pytest.fixture(autouse=True, scope="module")
def _rendered_templates_can_be_seen() -> Iterator[None]:
    setup_test_environment()
    yield
    teardown_test_environment()


@pytest.fixture
def people(system: System) -> People:
    people = appoint_officers()
    people.hire("C0001", Role.COLLECTOR)
    return people


def secret(text: str) -> Sensitive[str]:
    return Sensitive(text, element="password")


def sign_in(client: Client, staff_no: str, *, password: str = PASSWORD) -> int:
    answer = client.post(reverse("account_login"), {"login": staff_no, "password": password})
    return answer.status_code


def give_code(client: Client, code: str) -> int:
    return client.post(reverse("mfa_authenticate"), {"code": code}).status_code


def refused_sign_ins(staff_no: str) -> list[str]:
    rows = Entry.objects.filter(action="access.sign_in", outcome="refused", object_ref=staff_no).order_by("id")
    return [bytes(row.body).decode().split('"reason":"')[1].split('"')[0] for row in rows]


# Tokens


@pytest.mark.clause("JRT0171-7.3-b")
def test_a_token_speaks_for_its_person_and_only_its_digest_is_stored(people: People, system: System) -> None:
    token = people.token("C0001")
    assert services.subject_for_token(token).roles == {Role.COLLECTOR}
    row = ApiToken.objects.get()
    assert row.token_digest == hashlib.new("sm3", token.encode()).hexdigest()
    assert row.expires_at - row.issued_at == timedelta(hours=12)
    with system.connect() as application:
        dump = str(application.execute("SELECT row_to_json(t)::text FROM access_api_token t").fetchall())
    assert token not in dump


def test_a_token_ends_by_time_by_signing_out_and_with_its_rights(people: People, system: System) -> None:
    first = people.token("C0001")
    services.revoke_token(first)
    services.revoke_token(first)
    with pytest.raises(SignInRefusedError):
        services.subject_for_token(first)
    second = people.token("C0001", ahead=1)
    system.clock.advance(timedelta(hours=12))
    with pytest.raises(SignInRefusedError):
        services.subject_for_token(second)
    with pytest.raises(SignInRefusedError):
        services.subject_for_token("kuimen_unknown")


@pytest.mark.clause("GB22239-04")
def test_every_failure_gets_one_answer_and_is_recorded_without_what_was_typed(people: People) -> None:
    good = people.code("C0001")
    attempts = [("C0001", "wrong-password", good), ("C0001", PASSWORD, "000000"), ("NOBODY", PASSWORD, good)]
    messages = set()
    for staff_no, password, code in attempts:
        with pytest.raises(SignInRefusedError) as caught:
            services.issue_token(staff_no, password=secret(password), totp_code=secret(code))
        messages.add(str(caught.value))
    assert len(messages) == 1
    assert refused_sign_ins("C0001") == ["password", "code"]
    assert refused_sign_ins("") == ["unknown_or_closed"]
    bodies = b"".join(bytes(body) for body in Entry.objects.values_list("body", flat=True))
    assert b"NOBODY" not in bodies
    assert b"wrong-password" not in bodies


@pytest.mark.clause("GB22239-04")
def test_five_failures_lock_the_account_for_a_quarter_of_an_hour(people: People, system: System) -> None:
    for _ in range(5):
        with pytest.raises(SignInRefusedError):
            services.issue_token("C0001", password=secret("wrong"), totp_code=secret("000000"))
    with pytest.raises(SignInRefusedError):
        people.token("C0001")
    assert refused_sign_ins("C0001")[-1] == "locked"
    system.clock.advance(timedelta(minutes=15))
    assert people.token("C0001")


def test_failures_on_two_workers_at_once_both_count(people: People) -> None:
    def wrong() -> object:
        return services.issue_token("C0001", password=secret("wrong"), totp_code=secret("000000"))

    at_once(wrong, wrong, wrong)
    assert Staff.objects.get(staff_no="C0001").sign_in_failures.failures == 3


@pytest.mark.clause("GB22239-04")
def test_a_code_used_on_one_worker_is_spent_on_the_other(people: People) -> None:
    code = people.code("C0001")

    def use() -> object:
        return services.issue_token("C0001", password=secret(PASSWORD), totp_code=secret(code))

    results = at_once(use, use)
    assert sorted(type(result).__name__ for result in results) == ["IssuedToken", "SignInRefusedError"]
    with pytest.raises(SignInRefusedError):
        use()


def test_a_code_before_the_last_used_one_is_spent_too(people: People) -> None:
    staff = Staff.objects.get(staff_no="C0001")
    services.verify_totp(staff, people.code("C0001", ahead=1))
    for ahead in (-1, 0, 1):
        with pytest.raises(SignInRefusedError):
            services.verify_totp(staff, people.code("C0001", ahead=ahead))


def test_codes_outside_one_step_are_refused(people: People) -> None:
    staff = Staff.objects.get(staff_no="C0001")
    for ahead in (-2, 2, 40):
        with pytest.raises(SignInRefusedError):
            services.verify_totp(staff, people.code("C0001", ahead=ahead))


def test_without_a_second_factor_there_is_no_token(people: People) -> None:
    people.hire("C0002", Role.COLLECTOR, second_factor=False)
    with pytest.raises(SecondFactorMissingError):
        services.issue_token("C0002", password=secret(PASSWORD), totp_code=secret("000000"))


# Seeds


def test_a_seed_is_stored_sealed_for_its_account_alone(people: People, system: System) -> None:
    mine = Authenticator.objects.get(user__staff_no="C0001")
    seed = people.seeds["C0001"].reveal_for("test")
    assert open_seed(Staff.objects.get(staff_no="C0001"), mine.data["secret"]) == base64.b32decode(seed)
    assert seed not in str(mine.data)
    other = Authenticator.objects.get(user__staff_no=OFFICERS[0])
    other.data = mine.data
    other.save()
    with pytest.raises(TamperError):
        services.verify_totp(Staff.objects.get(staff_no=OFFICERS[0]), people.code("C0001"))


def test_a_second_seed_for_the_same_account_is_a_conflict(people: People) -> None:
    with pytest.raises(StaffExistsError):
        services.enroll_totp(Staff.objects.get(staff_no="C0001"))


def test_an_officer_resets_a_lost_second_factor_and_everything_ends(people: People) -> None:
    token = people.token("C0001")
    services.reset_sign_in("C0001", officer=people.maker, second=people.checker)
    assert not people.subject("C0001").mfa
    with pytest.raises(SignInRefusedError):
        services.subject_for_token(token)


# Console


@here
def test_the_console_asks_for_password_and_code_and_gives_a_new_session_key(people: People) -> None:
    client = Client()
    client.get(reverse("account_login"))
    assert sign_in(client, "C0001") == HTTPStatus.FOUND
    before = client.session.session_key
    assert "in as C0001" not in client.get("/").content.decode()
    assert give_code(client, people.code("C0001")) == HTTPStatus.FOUND
    assert client.session.session_key != before
    assert client.get("/").content == b"in as C0001"
    session = StaffSession.objects.get(ended_at__isnull=True)
    assert session.second_factor_at is not None
    key = client.session.session_key
    assert key not in session.session_digest
    assert not Session.objects.filter(session_key=key).exists()
    thief = Client()
    thief.cookies["sessionid"] = Session.objects.get().session_key
    assert thief.get("/").content == b"in as AnonymousUser"
    assert Entry.objects.filter(action="access.sign_in", outcome="done", actor="C0001").count() == 1


@here
def test_a_code_used_for_a_token_does_not_open_the_console(people: People) -> None:
    people.token("C0001")
    client = Client()
    sign_in(client, "C0001")
    give_code(client, people.code("C0001"))
    assert client.get("/").content == b"in as AnonymousUser"
    assert refused_sign_ins("C0001") == ["code"]


@here
def test_console_and_api_share_one_lock(people: People) -> None:
    client = Client()
    for _ in range(5):
        sign_in(client, "C0001", password="wrong")
    assert refused_sign_ins("C0001") == ["password"] * 5
    with pytest.raises(SignInRefusedError):
        people.token("C0001")
    assert sign_in(client, "C0001") == HTTPStatus.OK
    assert refused_sign_ins("C0001")[-2:] == ["locked", "locked"]


@here
def test_a_session_ends_by_idleness_by_age_and_by_signing_out(people: People, system: System) -> None:
    client = Client()

    def enter() -> None:
        sign_in(client, "C0001")
        give_code(client, people.code("C0001"))
        assert client.get("/").content == b"in as C0001"

    enter()
    system.clock.advance(timedelta(minutes=30))
    assert client.get("/").content == b"in as AnonymousUser"
    enter()
    for _ in range(25):
        system.clock.advance(timedelta(minutes=29))
        client.get("/")
    assert client.get("/").content == b"in as AnonymousUser"
    enter()
    client.post(reverse("account_logout"))
    assert client.get("/").content == b"in as AnonymousUser"
    reasons = list(StaffSession.objects.order_by("id").values_list("end_reason", flat=True))
    assert reasons == ["idle", "absolute", "sign_out"]
    assert Entry.objects.filter(action="access.sign_out").count() == 3


@here
@pytest.mark.clause("JRT0171-7.3-b")
def test_a_second_sign_in_ends_the_first(people: People) -> None:
    first, second = Client(), Client()
    for ahead, client in enumerate((first, second)):
        sign_in(client, "C0001")
        give_code(client, people.code("C0001", ahead=ahead))
    assert first.get("/").content == b"in as AnonymousUser"
    assert second.get("/").content == b"in as C0001"


@here
@pytest.mark.clause("JRT0171-7.2.3-c")
def test_a_leavers_open_page_is_dead_at_the_next_request(people: People) -> None:
    client = Client()
    sign_in(client, "C0001")
    give_code(client, people.code("C0001"))
    services.disable_staff("C0001", officer=people.maker, reason="离职")
    assert client.get("/").content == b"in as AnonymousUser"
    sign_in(client, "C0001")
    assert client.get("/").content == b"in as AnonymousUser"


@here
@pytest.mark.clause("CQJR-5.4-c")
def test_without_a_second_factor_there_is_activation_and_nothing_else(people: People) -> None:
    people.hire("C0002", Role.COLLECTOR, second_factor=False)
    client = Client()
    sign_in(client, "C0002")
    answer = client.get("/")
    assert (answer.status_code, answer.headers["Location"]) == (HTTPStatus.FOUND, reverse("mfa_activate_totp"))
    assert client.post("/", {}).status_code == HTTPStatus.FORBIDDEN
    problem = client.get("/api/v1/ping")
    assert (problem.status_code, problem.headers["Content-Type"]) == (403, "application/problem+json")
    page = client.get(reverse("mfa_activate_totp"))
    seed = page.context["form"].secret
    stored = b"".join(row.session_data.encode() for row in Session.objects.all())
    assert seed not in stored.decode()
    assert seed not in str([Session.objects.get(pk=row.pk).get_decoded() for row in Session.objects.all()])
    people.seeds["C0002"] = secret(seed)
    wrong = client.post(reverse("mfa_activate_totp"), {"code": "000000"})
    assert wrong.context["form"].secret == seed
    assert client.post(reverse("mfa_activate_totp"), {"code": people.code("C0002")}).status_code == HTTPStatus.FOUND
    assert client.get("/").content == b"in as C0002"
    assert services.has_second_factor(Staff.objects.get(staff_no="C0002"))
    assert Entry.objects.filter(action="second_factor.enrol", object_ref="C0002").count() == 1


@here
def test_nobody_registers_themselves_or_removes_their_second_factor(people: People) -> None:
    client = Client()
    client.post(reverse("account_signup"), {"username": "X9", "password1": PASSWORD, "password2": PASSWORD})
    assert not Staff.objects.filter(staff_no="X9").exists()
    sign_in(client, "C0001")
    give_code(client, people.code("C0001"))
    client.post(reverse("mfa_deactivate_totp"))
    assert services.has_second_factor(Staff.objects.get(staff_no="C0001"))


def test_an_account_has_no_administrators_way_around(people: People) -> None:
    staff = Staff.objects.get(staff_no=OFFICERS[0])
    assert not staff.has_perm("access.add_staff")
    assert not staff.has_module_perms("access")
    assert not hasattr(staff, "is_superuser")
    assert not hasattr(staff, "is_staff")
    assert not {"email", "phone", "mobile"} & {field.name for field in Staff._meta.get_fields()}
