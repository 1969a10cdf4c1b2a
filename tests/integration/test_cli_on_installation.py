"""The command line on an installation that `kuimen init` made unattended: the whole way, and every refusal by name."""

import base64
import json
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
import yaml

from fixtures.commands import CommandHome, fill_odd_schema, kuimen
from fixtures.lender import mobile, person_name, resident_id
from kuimen.entrypoints.installation.postgres import ADMIN, EmbeddedPostgres
from kuimen.entrypoints.installation.servers import APPLICATION, MAIN_DATABASE

pytestmark = pytest.mark.slow


def assets(postgres: EmbeddedPostgres, source: str) -> dict[str, str]:
    """Return state by `table.column` of what the inventory knows of a source."""
    with psycopg.connect(postgres.dsn(APPLICATION, MAIN_DATABASE)) as session:
        rows = session.execute(
            "SELECT a.table_name, a.column_name, a.state FROM inventory_asset a"
            " JOIN inventory_datasource s ON s.source_id = a.source_id WHERE s.label LIKE %s",
            (f"%{source}%",),
        )
        return {f"{table}.{column}": state for table, column, state in rows}


@contextmanager
def altered(path: Path, content: bytes | None) -> Iterator[None]:
    """Replace a file, or take it away, for the length of a block."""
    kept = path.with_suffix(".kept")
    shutil.copy2(path, kept)
    try:
        if content is None:
            path.unlink()
        else:
            path.write_bytes(content)
        yield
    finally:
        kept.replace(path)


def test_unattended_init_tells_what_to_keep_and_keeps_secrets_to_the_owner(command_home: CommandHome) -> None:
    made = command_home.made

    assert made["officers"] == ["A001", "A002"]
    assert made.keys() >= {"home", "institution_id", "root_fingerprint", "signing_key_id", "signing_public_key"}
    for name in ("passwords", "passphrases"):
        file = command_home.secrets / name
        assert file.stat().st_mode & 0o777 == 0o600
        secrets = [line.partition("=")[2] for line in file.read_text(encoding="utf-8").splitlines()]
        assert len(set(secrets)) == 2
        assert not any(secret in json.dumps(made) for secret in secrets)


def test_a_second_init_is_a_conflict_and_leaves_no_secrets_behind(command_home: CommandHome, tmp_path: Path) -> None:
    officers = ("--officer", "B001:甲", "--officer", "B002:乙")
    root_before = (command_home.home / "keys" / "root.json").read_bytes()

    refused = kuimen(
        "init", "--name", "另一家", *officers, "--home", command_home.home, "--draw-secrets-into", tmp_path / "s",
        "--json",
    )  # fmt: skip

    assert (refused.code, refused.error["error"]) == (4, "installation.already_initialised")
    assert not (tmp_path / "s").exists()
    assert (command_home.home / "keys" / "root.json").read_bytes() == root_before


def test_a_wrong_passphrase_locks_and_is_not_repeated(command_home: CommandHome, tmp_path: Path) -> None:
    first, _ = (command_home.secrets / "passphrases").read_text(encoding="utf-8").splitlines()
    file = tmp_path / "passphrases"
    file.write_text(f"{first}\nA002=quite-another-secret-phrase\n", encoding="utf-8")
    file.chmod(0o600)

    refused = kuimen("assess", "--home", command_home.home, "--credentials-file", file, "--json")

    assert refused.code in {5, 7}, refused.err
    assert "A002" in refused.err
    assert "quite-another" not in refused.err
    assert first.partition("=")[2] not in refused.err


@pytest.mark.parametrize(
    ("content", "expected"),
    [(None, (3, "keys.root_missing")), (b"{}", (6, "keys.root_altered")), (b"\xff\xfe", (6, "keys.root_altered"))],
)
def test_a_missing_or_altered_key_file_is_its_own_error(
    command_home: CommandHome, content: bytes | None, expected: tuple[int, str]
) -> None:
    with altered(command_home.home / "keys" / "root.json", content):
        refused = kuimen("assess", *command_home.unlock, "--json")

    assert (refused.code, refused.error["error"]) == expected


def test_a_passphrase_file_others_can_read_is_refused(command_home: CommandHome, tmp_path: Path) -> None:
    loose = tmp_path / "loose"
    shutil.copy(command_home.secrets / "passphrases", loose)
    loose.chmod(0o644)

    refused = kuimen("assess", "--home", command_home.home, "--credentials-file", loose, "--json")

    assert (refused.code, refused.error["error"]) == (2, "installation.unsafe_passphrase_file")


def test_a_taken_port_is_told_before_any_passphrase_is_asked(command_home: CommandHome) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        refused = kuimen("serve", "--home", command_home.home, "--port", str(port))

    assert refused.code == 7
    assert str(port) in refused.err


def test_check_is_well_and_fails_with_7_when_something_must_be_mended(command_home: CommandHome) -> None:
    well = kuimen("check", "--home", command_home.home, "--json")
    command_home.home.joinpath("keys", "root.json").chmod(0o644)
    try:
        ill = kuimen("check", "--home", command_home.home, "--json")
    finally:
        command_home.home.joinpath("keys", "root.json").chmod(0o600)

    assert well.code == 0, well.out
    assert all(row.keys() == {"subject", "grade", "text_zh", "text_en"} for row in well.rows)
    assert (ill.code, ill.error["error"]) == (7, "check.failed")
    assert "fail" in {row["grade"] for row in ill.rows}


def test_an_unseen_schema_is_scanned_protected_unattended_and_clean_afterwards(
    command_home: CommandHome, odd_lender: tuple[str, Path]
) -> None:
    address, credentials = odd_lender
    source = ("--source", address, "--source-credentials", credentials)
    values = fill_odd_schema(command_home.postgres, people=60)

    scanned = kuimen("scan", *source, "--home", command_home.home, "--json")

    assert scanned.code == 0, scanned.err
    found = {(row["table"], row["column"]): row for row in scanned.rows if row["state"] != "not_read"}
    assert found["kd-1", "联系 方式"]["element"] == "mobile"
    assert found["kd-1", "ausweis"]["element"] == "resident_id"
    assert found["zettel", "txt"]["element"] == "free_text"
    assert found["kd-1", "ausweis"]["schema"] == "Stamm 表"
    assert assets(command_home.postgres, "odd_lender")["kd-1.ausweis"] == "clear", "a scan feeds the inventory"

    done = kuimen("protect", *source, *command_home.unlock, "--yes", "--json")

    assert done.code == 0, done.err + done.out
    steps = {row["step"]: row for row in done.rows}
    assert steps["protect"]["values_sealed"] == steps["protect"]["values_verified"] >= 4 * 60
    assert steps["prove"]["residual_clear_values"] == 0
    assert steps["prove"]["needles_raw"] > 0
    assert steps["prove"]["not_covered"], "what could not be read is listed, never counted as clean"
    again = kuimen("scan", *source, "--home", command_home.home, "--json")
    assert not [row for row in again.rows if row["state"] == "clear" and row["category"] in {"C2", "C3"}]
    with psycopg.connect(command_home.postgres.dsn(ADMIN, "odd_lender")) as session:
        kept = session.execute('SELECT count(*), sum(betrag) FROM "Stamm 表"."kd-1"').fetchone()
        text = "".join(row[0] for row in session.execute('SELECT t::text FROM "Stamm 表"."kd-1" t').fetchall())
        text += "".join(row[0] for row in session.execute("SELECT t::text FROM zettel t").fetchall())
    assert kept is not None
    assert kept[0] == 60
    assert not [value for value in values if value in text + done.out + done.err + scanned.out]

    resumed = kuimen("protect", *source, *command_home.unlock, "--yes", "--json")
    assert resumed.code == 0, resumed.err
    assert {row["step"]: row for row in resumed.rows}["protect"]["values_sealed"] == 0, "nothing is sealed twice"


def test_protect_asks_before_it_drops_and_stops_when_nobody_agrees(
    command_home: CommandHome, odd_lender: tuple[str, Path]
) -> None:
    address, credentials = odd_lender
    fill_odd_schema(command_home.postgres, people=3)

    refused = kuimen(
        "protect", "--source", address, "--source-credentials", credentials, *command_home.unlock, given="n\n"
    )

    assert refused.code == 130
    with psycopg.connect(command_home.postgres.dsn(ADMIN, "odd_lender")) as session:
        assert session.execute('SELECT "联系 方式" FROM "Stamm 表"."kd-1" WHERE lfd = 1').fetchone() == (mobile(1),)


def test_assess_prints_its_verdicts_and_leaves_a_report(command_home: CommandHome) -> None:
    assessed = kuimen("assess", *command_home.unlock, "--json")

    assert assessed.code == 0, assessed.err
    told = assessed.rows[-1]
    assert told["clauses_total"] >= 200
    assert told["clauses_assessed"] >= 12
    assert sum(told["verdicts"].values()) == told["clauses_total"]
    assert Path(told["report_pdf"]).read_bytes().startswith(b"%PDF")


def test_the_exported_log_verifies_with_nothing_but_python_and_a_change_is_found(
    command_home: CommandHome, tmp_path: Path
) -> None:
    folder = tmp_path / "log"

    live = kuimen("audit", "verify", "--home", command_home.home, "--json")
    exported = kuimen("audit", "export", folder, "--home", command_home.home)
    verified = kuimen("audit", "verify", folder, "--home", command_home.home, "--json")

    assert (live.code, exported.code, verified.code) == (0, 0, 0), live.err + exported.err + verified.err
    assert live.rows[-1]["verified"] is True
    assert verified.rows[-1]["entries"] >= live.rows[-1]["entries"] >= 1
    script = next(folder.glob("*.py"))
    alone = [sys.executable, "-I", str(script), str(folder)]
    clean = {"PATH": os.environ["PATH"]}
    assert subprocess.run(alone, capture_output=True, env=clean, cwd=tmp_path, check=False).returncode == 0
    lines = (folder / "entries.jsonl").read_bytes().splitlines(keepends=True)
    first = json.loads(lines[0])
    body = base64.b64decode(first["body"]).replace(b"A001", b"A009")
    assert body != base64.b64decode(first["body"]), "the first entry names who was appointed"
    first["body"] = base64.b64encode(body).decode()
    (folder / "entries.jsonl").write_bytes(b"".join([json.dumps(first).encode() + b"\n", *lines[1:]]))

    broken = kuimen("audit", "verify", folder, "--home", command_home.home, "--json")

    assert (broken.code, broken.error["error"]) == (6, "audit.verify")
    assert subprocess.run(alone, capture_output=True, env=clean, cwd=tmp_path, check=False).returncode != 0


def test_the_worker_does_what_waits_and_stops(command_home: CommandHome) -> None:
    with psycopg.connect(command_home.postgres.dsn(APPLICATION, MAIN_DATABASE), autocommit=True) as session:
        session.execute(
            "SELECT procrastinate_defer_jobs_v1(ARRAY[ROW('default', %s, 0, NULL, NULL, '{\"timestamp\": 0}',"
            " NULL)::procrastinate_job_to_defer_v1])",
            ("kuimen.entrypoints.worker.tasks.expire_tickets",),
        )

        done = kuimen("worker", "--once", *command_home.unlock)

        assert done.code == 0, done.err
        row = session.execute(
            "SELECT status FROM procrastinate_jobs WHERE task_name LIKE '%%expire_tickets' ORDER BY id DESC LIMIT 1"
        ).fetchone()
    assert row == ("succeeded",)


def test_passphrases_come_in_over_a_descriptor_too(command_home: CommandHome) -> None:
    reading, writing = os.pipe()
    os.write(writing, (command_home.secrets / "passphrases").read_bytes())
    os.close(writing)

    done = kuimen(
        "worker", "--once", "--home", command_home.home, "--passphrase-fd", str(reading), descriptors=(reading,)
    )

    os.close(reading)
    assert done.code == 0, done.err


MAPPING = """
loans:
  schema: xd
  table: jieju
  key: [fhbh, jjh]
  fields: {principal: je, annual_rate: lilv, term_months: qs, instalment: yhje, issued_on: fkrq, status: zt,
           balance: ye, paid_principal: yhbj, paid_interest: yhlx, paid_late_fees: yhfx}
  statuses: {正常: normal, 逾期: late_16_30}
customer: {schema: xd, table: khxx, join: {khbh: khbh}, reference: customer_ref}
"""
LOANS = 6
SUMS = ("--count", str(LOANS), "--cents", "principal=6000000", "--cents", "balance=5700000")


def fill_lender_of_loans(postgres: EmbeddedPostgres) -> None:
    """Write customers and loans under pinyin names with a composite key; a third of the loans is overdue."""
    with psycopg.connect(postgres.dsn(ADMIN, "odd_lender"), autocommit=True) as session:
        session.execute("CREATE SCHEMA xd")
        session.execute(
            "CREATE TABLE xd.khxx (khbh text PRIMARY KEY, khmc varchar(20), zjhm char(18), lxdh varchar(11))"
        )
        session.execute(
            "CREATE TABLE xd.jieju (fhbh int, jjh text, khbh text REFERENCES xd.khxx, je numeric(12,2), lilv numeric,"
            " qs int, yhje numeric(12,2), fkrq date, zt text, ye numeric(12,2), yhbj numeric(12,2), yhlx numeric(12,2),"
            " yhfx numeric(12,2), PRIMARY KEY (fhbh, jjh))"
        )
        for index in range(LOANS):
            row = (f"K{index}", person_name(index), resident_id(index), mobile(index))
            session.execute("INSERT INTO xd.khxx VALUES (%s, %s, %s, %s)", row)
            session.execute(
                "INSERT INTO xd.jieju VALUES (%s, %s, %s, 10000, 18, 12, 916.80, '2026-03-01', %s, 9500, 500, 0, 0)",
                (index % 2, f"J{index}", f"K{index}", "逾期" if index % 3 == 0 else "正常"),
            )


def test_loans_of_an_unseen_schema_come_in_to_the_cent_or_not_at_all(
    command_home: CommandHome, odd_lender: tuple[str, Path], tmp_path: Path
) -> None:
    source, credentials = odd_lender
    fill_lender_of_loans(command_home.postgres)
    mapping = tmp_path / "loans.yaml"
    mapping.write_text(MAPPING, encoding="utf-8")
    given = (
        "import", "--source", source, "--source-credentials", credentials, "--mapping", mapping,
        "--home", command_home.home, "--json",
    )  # fmt: skip
    unprotected = kuimen(*given, *SUMS)
    assert (unprotected.code, unprotected.error["error"]) == (2, "loans.intake_mapping")
    assert "no column xd.khxx.customer_ref" in unprotected.error["message"]

    administrator = tmp_path / "administrator"
    password = command_home.postgres.connection(ADMIN, "odd_lender")["password"]
    administrator.write_text(f"user={ADMIN}\npassword={password}\n", encoding="utf-8")
    administrator.chmod(0o600)
    protected = kuimen(
        "protect", "--source", source, "--source-credentials", administrator, "--no-scrub", "--json",
        *command_home.unlock,
    )  # fmt: skip
    assert protected.code in {0, 6}, protected.err  # without the scrub the proof may find residues
    given = (*given[:4], administrator, *given[5:])
    links = [row for row in protected.rows if row["step"] == "link"]
    assert {"step": "link", "table": "xd.jieju", "to": "xd.khxx", "columns": ["khbh"], "declared": True} in links

    told = kuimen(*given, "--dry-run").rows[-1]
    assert (told["count"], told["principal_cents"], told["imported"]) == (LOANS, 6_000_000, False)
    wrong = kuimen(*given, "--count", LOANS, "--cents", "principal=6000001", "--cents", "balance=5700000")
    assert (wrong.code, wrong.error["error"]) == (4, "loans.reconciliation")
    assert "principal declared 6000001 cents, found 6000000" in wrong.error["message"]
    assert kuimen(*given, "--count", LOANS).error["error"] == "import.control_total"
    mapping.write_text(MAPPING.replace("逾期: late_16_30", "逾期: overdue"), encoding="utf-8")
    assert "loans.statuses.逾期" in kuimen(*given, *SUMS).error["message"]
    mapping.write_text(MAPPING, encoding="utf-8")

    done = kuimen(*given, *SUMS)
    assert done.code == 0, done.err
    assert (done.rows[-1]["created"], done.rows[-1]["legal_bases"]) == (LOANS, 2 * LOANS)
    assert kuimen(*given, *SUMS).rows[-1]["unchanged"] == LOANS
    built = kuimen("cases", "build", "--home", command_home.home, "--json").rows[-1]
    assert (built["created"], built["by_status"]) == (2, {"late_16_30": 2})
    assert kuimen("cases", "build", "--home", command_home.home, "--json").rows[-1]["created"] == 0


def test_the_printed_mapping_is_whole() -> None:
    from kuimen.ledger.intake_mapping import IntakeMapping, check_shape

    printed = yaml.safe_load(kuimen("import", "--example").out)
    check_shape(printed)
    assert IntakeMapping.from_data(printed).loans.table == "t_loan"


def test_a_terminal_acts_with_nobodys_rights_but_its_tokens(command_home: CommandHome, tmp_path: Path) -> None:
    missing = kuimen("staff", "list", "--token-file", tmp_path / "none", "--home", command_home.home, "--json")
    assert (missing.code, missing.error["error"]) == (2, "cli.token_file")
    foreign = tmp_path / "foreign"
    foreign.write_text("kuimen_not-a-token\n", encoding="utf-8")
    foreign.chmod(0o600)
    refused = kuimen("staff", "list", "--token-file", foreign, "--home", command_home.home, "--json")
    assert (refused.code, refused.error["error"]) == (5, "access.sign_in_refused")
    foreign.chmod(0o644)
    opened = kuimen("staff", "list", "--token-file", foreign, "--home", command_home.home, "--json")
    assert opened.error["error"] == "cli.token_file"
