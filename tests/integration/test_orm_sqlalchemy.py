"""SQLAlchemy models with sealed columns, on a real database file."""

import copy
import logging
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from sqlalchemy import Engine, Table, create_engine, insert, select, text, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, aliased, mapped_column

from kuimen.entrypoints.orm import (
    ApplicationKeys,
    ClearValueRefusedError,
    ColumnKeysMissingError,
    CompanionMissingError,
    MaskedCopyError,
    RowKeyChangedError,
    SealedLookupError,
    use_keys,
)
from kuimen.entrypoints.orm.sqlalchemy import BlindIndex, SealedText, opened_rows, sealed_rows
from kuimen.foundation.errors import TamperError
from kuimen.foundation.sensitive import Sensitive
from kuimen.kernels.sealed_columns import RowKeyError

FIRST, SECOND = bytes(range(32)), bytes(range(32, 64))


class Shop(DeclarativeBase):
    pass


class Customer(Shop):
    __tablename__ = "customer"
    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    mobile: Mapped[Sensitive[str] | None] = mapped_column(SealedText("mobile"))
    spare: Mapped[Sensitive[str] | None] = mapped_column(SealedText("mobile"))
    mobile_index: Mapped[bytes | None] = mapped_column(BlindIndex("mobile"), unique=True)


class Visit(Shop):
    __tablename__ = "visit"
    number: Mapped[int] = mapped_column(primary_key=True)
    note: Mapped[Sensitive[str] | None] = mapped_column(SealedText("free_text"))


class Call(Shop):
    __tablename__ = "call"
    number: Mapped[int] = mapped_column(primary_key=True)
    ref: Mapped[UUID] = mapped_column(default=uuid4)
    note: Mapped[Sensitive[str] | None] = mapped_column(SealedText("free_text", row_key=["ref"]))


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    use_keys(ApplicationKeys({1: FIRST}, institution=b"shop"))
    made = create_engine(f"sqlite:///{tmp_path / 'shop.db'}", echo=True)
    Shop.metadata.create_all(made)
    yield made
    use_keys(None)
    made.dispose()


def clear(value: Sensitive[str] | None) -> str | None:
    return None if value is None else value.reveal_for("test")


def test_a_value_is_sealed_on_writing_and_opened_inside_sensitive(
    engine: Engine, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG), Session(engine) as session:
        made = Customer(mobile="19990000001", spare=None)
        session.add(made)
        assert repr(made.mobile) == "Sensitive(mobile)"
        session.flush()
        assert clear(made.mobile) == "19990000001", "the flush gives the value back"
        session.commit()
        found = session.scalars(select(Customer)).one()
        assert isinstance(found.mobile, Sensitive)
        assert (clear(found.mobile), found.spare) == ("19990000001", None)
        assert session.scalars(select(Customer).where(Customer.spare.is_(None))).one() is found

    assert b"1999000" not in (tmp_path / "shop.db").read_bytes()
    assert "INSERT INTO customer" in caplog.text
    assert "1999000" not in caplog.text


def test_equality_asks_the_blind_index_in_any_spelling(engine: Engine) -> None:
    with Session(engine) as session:
        session.add_all(Customer(mobile=f"1999000000{number}") for number in range(5))
        session.commit()
        other = aliased(Customer)
        for asked in (
            select(Customer).where(Customer.mobile == "+86 199-9000-0003"),
            select(Customer).where(Customer.mobile == Sensitive("19990000003", element="mobile")),
            select(other).where(other.mobile.in_(["19990000003"])),
        ):
            assert clear(session.scalars(asked).one().mobile) == "19990000003"
        assert len(session.scalars(select(Customer).where(Customer.mobile != "19990000003")).all()) == 4


def test_rows_of_two_key_generations_are_opened_and_found(engine: Engine) -> None:
    with Session(engine) as session:
        session.add(Customer(mobile="19990000001"))
        session.commit()
        use_keys(ApplicationKeys({1: FIRST, 2: SECOND}, institution=b"shop"))
        session.add(Customer(mobile="19990000002"))
        session.commit()
        for number in ("19990000001", "19990000002"):
            assert clear(session.scalars(select(Customer).where(Customer.mobile == number)).one().mobile) == number
        use_keys(ApplicationKeys({2: SECOND}, institution=b"shop"))
        session.expire_all()
        with pytest.raises(TamperError):
            session.scalars(select(Customer)).all()


def test_a_changed_value_is_sealed_anew_and_an_untouched_one_is_left(engine: Engine) -> None:
    with Session(engine) as session:
        made = Customer(mobile="19990000001", spare="19990000002")
        session.add(made)
        session.commit()
        before = session.execute(text("SELECT mobile, spare FROM customer")).one()
        made.mobile = "19990000003"
        session.commit()
        after = session.execute(text("SELECT mobile, spare FROM customer")).one()
        assert before[0] != after[0]
        assert before[1] == after[1]
        assert (clear(made.mobile), clear(made.spare)) == ("19990000003", "19990000002")
        made.mobile = None
        session.commit()
        assert session.execute(text("SELECT mobile, mobile_index FROM customer")).one() == (None, None)


@pytest.mark.parametrize(
    "attack",
    [
        "UPDATE customer SET mobile = (SELECT mobile FROM customer c WHERE c.rowid = 2) WHERE rowid = 1",
        "UPDATE customer SET mobile = spare WHERE rowid = 1",
        "UPDATE customer SET mobile = substr(mobile, 1, 40) WHERE rowid = 1",
        "UPDATE customer SET mobile = x'31393939' WHERE rowid = 1",
    ],
    ids=["other row", "other column", "cut", "clear"],
)
def test_a_ciphertext_in_a_place_that_is_not_its_own_does_not_open(engine: Engine, attack: str) -> None:
    with Session(engine) as session:
        session.add_all(Customer(mobile=f"1999000000{one}", spare=f"1999000100{one}") for one in range(2))
        session.commit()
        session.execute(text(attack))
        session.commit()
        session.expire_all()
        with pytest.raises(TamperError):
            session.scalars(select(Customer)).all()


@pytest.mark.parametrize("masters", [{1: SECOND}, {2: FIRST}], ids=["other key", "other generation"])
def test_a_wrong_key_is_tampering_and_a_missing_one_is_said(engine: Engine, masters: dict[int, bytes]) -> None:
    with Session(engine) as session:
        session.add(Customer(mobile="19990000001"))
        session.commit()
        use_keys(ApplicationKeys(masters, institution=b"shop"))
        with pytest.raises(TamperError):
            session.scalars(select(Customer)).all()
        use_keys(ApplicationKeys({1: FIRST}, institution=b"another"))
        session.expire_all()
        with pytest.raises(TamperError):
            session.scalars(select(Customer)).all()
        use_keys(None)
        session.expire_all()
        with pytest.raises(ColumnKeysMissingError):
            session.scalars(select(Customer)).all()


def test_a_row_key_that_only_the_database_knows_is_refused_and_a_companion_is_taken(engine: Engine) -> None:
    with Session(engine) as session:
        session.add(Visit(note="电话 19990000001"))
        with pytest.raises(RowKeyError, match="number"):
            session.flush()
        session.rollback()
        session.add_all([Visit(number=7, note="电话 19990000001"), Call(note="电话 19990000001")])
        session.commit()
        assert clear(session.scalars(select(Call)).one().note) == "电话 19990000001"


def test_the_key_of_a_row_with_sealed_values_is_not_changed(engine: Engine) -> None:
    with Session(engine) as session:
        made = Customer(mobile="19990000001")
        session.add(made)
        session.commit()
        made.id = uuid4()
        with pytest.raises(RowKeyChangedError):
            session.commit()


def test_bulk_statements_take_sealed_rows_and_refuse_clear_ones(engine: Engine) -> None:
    table = Customer.__table__
    assert isinstance(table, Table)
    with Session(engine) as session:
        session.execute(
            insert(Customer),
            sealed_rows(Customer, [{"mobile": f"1999000{one:04d}", "spare": None} for one in range(50)]),
        )
        session.execute(insert(table), sealed_rows(table, [{"mobile": f"1999000{one:04d}"} for one in range(50, 99)]))
        rows = session.execute(select(Customer.id, Customer.mobile, Customer.spare)).all()
        opened = opened_rows(Customer, rows)
        assert {clear(row["mobile"]) for row in opened} == {f"1999000{one:04d}" for one in range(99)}
        changed = [{"id": opened[0]["id"], "mobile": "19990009999"}]
        session.execute(update(Customer), sealed_rows(Customer, changed))
        session.commit()
        assert session.scalars(select(Customer.id).where(Customer.mobile == "19990009999")).one() == opened[0]["id"]
        with pytest.raises(TamperError):
            opened_rows(Customer, [{"id": opened[1]["id"], "mobile": rows[0].mobile}])
        for statement, given in (
            (insert(Customer), [{"mobile": "19990000001"}]),
            (insert(table), [{"mobile": "19990000001"}]),
            (update(Customer).values(mobile="19990000001"), None),
            (insert(table), [{"mobile_index": b"19990000001"}]),
        ):
            with pytest.raises(ClearValueRefusedError) as refused:
                session.execute(statement, given) if given else session.execute(statement)
            assert "1999000" not in str(refused.value)
        with pytest.raises(RowKeyError):
            sealed_rows(Visit, [{"note": "19990000001"}])


def test_comparing_ciphertexts_is_refused(engine: Engine) -> None:
    del engine
    for wrong in (
        lambda: Customer.mobile.like("199%"),
        lambda: Customer.mobile > "1",
        lambda: select(Customer).order_by(Customer.mobile.desc()),
    ):
        with pytest.raises(SealedLookupError):
            wrong()
    with pytest.raises(CompanionMissingError):
        Customer.spare.__eq__("19990000001")


def test_an_error_of_the_database_shows_no_clear_value_and_the_object_is_usable_again(engine: Engine) -> None:
    with Session(engine) as session:
        session.add(Customer(mobile="19990000001"))
        session.commit()
        again = Customer(mobile="199 9000 0001")
        session.add(again)
        with pytest.raises(IntegrityError) as refused:
            session.commit()
        assert "1999000" not in str(refused.value)
        session.rollback()
        again.id, again.mobile = uuid4(), "19990000002"
        session.add(again)
        session.commit()
        assert clear(again.mobile) == "19990000002"


def test_a_masked_copy_does_not_overwrite_the_value(engine: Engine) -> None:
    with Session(engine) as session:
        made = Customer(mobile="19990000001")
        session.add(made)
        session.commit()
        session.refresh(made)
        copied = copy.deepcopy(made.mobile)
        made.mobile = copied
        with pytest.raises(MaskedCopyError):
            session.commit()


def test_a_migration_gets_the_declaration_and_no_key() -> None:
    assert repr(SealedText("mobile")) == "SealedText('mobile')"
    assert repr(BlindIndex("mobile")) == "BlindIndex('mobile')"
    declared = SealedText("free_text", table="visits_2019", row_key=["ref"])
    assert repr(declared) == "SealedText('free_text', table='visits_2019', row_key=('ref',))"
    assert repr(eval(repr(declared))) == repr(declared)  # noqa: S307 - our own text, as a migration file has it
