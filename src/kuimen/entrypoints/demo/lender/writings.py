"""Rows and lines with personal data where nobody looks for it: notes, messages, logs, payment orders, an export."""

import csv
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from random import Random

from kuimen.entrypoints.demo.lender import people as folk
from kuimen.entrypoints.demo.lender import texts
from kuimen.entrypoints.demo.lender.rows import (
    SNAPSHOT,
    Book,
    HeldLoan,
    Row,
    at,
    chance,
)

PAY_ORDERS = 1_500
SMS_MESSAGES = 2_000
APP_LOG_ROWS = 2_500
LOG_FILE_LINES = 4_000
REMARK_PERCENT = 12
EXPORT_HEADER = ("借据号", "客户姓名", "身份证号", "手机号", "还款卡号", "联系人", "联系人电话", "贷款状态", "余额")


def details_of(held: HeldLoan, rng: Random) -> dict[str, str]:
    """Return what the templates may mention about one loan and its holder."""
    identity = held.holder.identity
    return {
        "name": identity.person_name,
        "mobile": identity.mobile,
        "resident_id": identity.resident_id,
        "email": identity.email,
        "address": identity.address,
        "card": held.card.number,
        "card_tail": held.card.number[-4:],
        "wechat": identity.wechat,
        "third": identity.contact_name,
        "third_mobile": identity.contact_mobile,
        "relation": identity.contact_relation,
        "cust_no": held.holder.cust_no,
        "loan_no": held.loan_no,
        "amount": str(held.loan.instalment),
        "ip": identity.ip,
        "imei": identity.imei,
        "code": f"{rng.randrange(1_000_000):06d}",
        "token": f"{rng.getrandbits(160):040x}",
        "trace": f"{rng.getrandbits(64):016x}",
        "cost": str(rng.randrange(3, 900)),
        "number": str(rng.randrange(1, 9_000)),
        "day": str(rng.randrange(1, 29)),
    }


def remarks(book: Book, rng: Random) -> list[str | None]:
    """Return one remark or nothing for each customer, by index."""
    first_loan = {held.holder.index: held for held in reversed(book.loans)}
    drawn: list[str | None] = []
    for person in book.customers:
        if chance(rng, REMARK_PERCENT):
            template = rng.choice(texts.REMARKS)
            drawn.append(template.format(**details_of(first_loan[person.index], rng)))
        else:
            drawn.append(None)
    return drawn


def note_rows(book: Book, rng: Random) -> Iterator[Row]:
    """Yield `core.coll_note`: the history of every loan that is not in order, and of some that were once late."""
    number = 0
    for held in book.loans:
        if not held.loan.overdue and not chance(rng, 2):
            continue
        for _ in range(rng.randrange(2, 9) if held.loan.overdue else 1):
            number += 1
            result, template = rng.choice(texts.COLLECTION_NOTES)
            colleague = book.staff[rng.randrange(folk.COLLECTORS)]
            when = at(SNAPSHOT - timedelta(days=rng.randrange(1, 60)), rng)
            yield (number, held.loan_no, colleague.staff_no, when, result, template.format(**details_of(held, rng)))


def pay_order_rows(book: Book, rng: Random) -> Iterator[Row]:
    """Yield `core.pay_order`: card verification values and track data that no rule ever allowed to be kept."""
    for number in range(1, PAY_ORDERS + 1):
        held = book.loans[rng.randrange(len(book.loans))]
        card = held.card.number
        identity = held.holder.identity
        expiry = identity.card_expiry.replace("/", "")
        track = f";{card}={expiry[2:]}{expiry[:2]}201{rng.randrange(10**9):09d}?" if chance(rng, 40) else None
        yield (
            f"P20180801{number:08d}",
            held.loan_no,
            card,
            identity.cvn2,
            track,
            expiry,
            held.loan.instalment,
            at(SNAPSHOT - timedelta(days=rng.randrange(1, 31)), rng),
            "0000" if chance(rng, 90) else "1016",
        )


def sms_rows(book: Book, rng: Random) -> Iterator[Row]:
    """Yield `ops.sms_log`: one-time codes kept in clear long after use."""
    for number in range(1, SMS_MESSAGES + 1):
        held = book.loans[rng.randrange(len(book.loans))]
        code, template = rng.choice(texts.SMS_TEMPLATES)
        details = details_of(held, rng)
        yield (
            number,
            held.holder.identity.mobile,
            code,
            template.format(**details),
            details["code"] if "{code}" in template else None,
            at(SNAPSHOT - timedelta(days=rng.randrange(1, 31)), rng),
            1,
        )


def app_log_rows(book: Book, rng: Random) -> Iterator[Row]:
    """Yield `ops.app_log`, a table without a key."""
    yield from _log_entries(book, rng, APP_LOG_ROWS)


def _log_entries(book: Book, rng: Random, count: int) -> list[tuple[datetime, str, str, str, str]]:
    """Draw the log lines of the last week, in order of time."""
    entries = []
    for _ in range(count):
        held = book.loans[rng.randrange(len(book.loans))]
        level, logger, template = rng.choice(texts.LOG_LINES)
        moment = at(SNAPSHOT - timedelta(days=rng.randrange(7)), rng)
        entries.append((moment, level, logger, f"{rng.getrandbits(64):016x}", template.format(**details_of(held, rng))))
    return sorted(entries)


def write_log_file(path: Path, book: Book, rng: Random) -> int:
    """Write the operations log and return its number of lines."""
    lines = []
    for when, level, logger, request, message in _log_entries(book, rng, LOG_FILE_LINES):
        lines.append(f"{when:%Y-%m-%d %H:%M:%S} {level:<5} [{request}] {logger} - {message}\n")
    path.write_text("".join(lines), encoding="utf-8")
    return len(lines)


def write_export(path: Path, book: Book) -> int:
    """Write the spreadsheet export of the overdue customers and return its number of rows."""
    overdue = [held for held in book.loans if held.loan.overdue]
    with path.open("w", encoding="utf-8-sig", newline="") as handle:
        writer = csv.writer(handle)
        writer.writerow(EXPORT_HEADER)
        for held in overdue:
            identity = held.holder.identity
            writer.writerow(
                (
                    held.loan_no,
                    identity.person_name,
                    identity.resident_id,
                    identity.mobile,
                    held.card.number,
                    identity.contact_name,
                    identity.contact_mobile,
                    held.loan.status,
                    held.loan.balance,
                )
            )
    return len(overdue)
