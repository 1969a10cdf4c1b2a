"""The door: masked pages of 50 cases, single reveals, durable disclosures of two workers at once."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from itertools import cycle, islice
from uuid import uuid4

from django.db import connections

from benchmarks import bare
from benchmarks.department import REVEALS_PER_DAY, Department
from benchmarks.installed import Installed
from benchmarks.measurement import Measurement, percentile, times_of
from benchmarks.run import Run
from benchmarks.workers import Deed, rate_of_workers
from kuimen.entrypoints.demo.collector_day import ApiClient
from kuimen.entrypoints.demo.day_server import free_port, served
from kuimen.gate.audit.services import SequencerThread
from kuimen.gate.disclosure.services import ReasonCode
from kuimen.gate.keys import services as keys
from kuimen.kernels.elements import Element
from kuimen.scenarios.collections.services import list_cases, open_case, reveal

REASON = "客户对登记信息有异议，需核对"
WARM_UP = 30


def measure(run: Run) -> list[Measurement]:

    department = run.department
    return [*pages(run, department), *reveals(run, department), *two_workers(run, department)]


def pages(run: Run, department: Department) -> list[Measurement]:
    visits = [partial(list_cases, collector) for collector in department.collectors]  # lists show held cases' values
    first = times_of(visits)
    again = times_of(list(islice(cycle(visits), run.sized(400, 40))))
    nearest = bare.page_times(run.sized(400, 40))
    with served_page(run.installed, department) as over_http:
        times_of([over_http] * WARM_UP)  # each worker connects, and loads what later requests find
        http = times_of([over_http] * run.sized(200, 20))
    return [
        Measurement(
            what=f"{what}, p{share}",
            value=percentile(times, share / 100),
            unit="ms",
            limit=f"one query and opening the 100 values, p{share}",
            limit_value=percentile(nearest, share / 100),
        )
        for what, times, share in (
            ("masked page of 50 cases", again, 50),
            ("masked page of 50 cases", again, 95),
            ("first look of a day at these 50 people", first, 50),
            ("masked page over HTTP, `kuimen serve`", http, 50),
            ("masked page over HTTP, `kuimen serve`", http, 95),
        )
    ]


@contextmanager
def served_page(installed: Installed, department: Department) -> Iterator[Callable[[], object]]:
    """Run the server and give a call that fetches the first page of cases as a collector who has signed in."""

    with served(installed.spot, port=free_port()) as address:
        client, who = ApiClient(address), department.sign_in
        client.sign_in(who.staff_no, password=who.password, totp=who.code())

        def fetch() -> None:
            answer = client.call("GET", "/collections/cases?page=1")
            assert answer.status == 200, answer.status
            assert len(answer.body["items"]) == 50

        yield fetch


def reveals(run: Run, department: Department) -> list[Measurement]:

    each = run.sized(REVEALS_PER_DAY, 5)
    deeds = [
        partial(
            reveal,
            collector,
            case,
            element=Element.MOBILE,
            reason_code=ReasonCode.VERIFY_IDENTITY,
            reason=REASON,
            idempotency_key=uuid4().hex,
        )
        for collector in department.collectors
        for case in islice(cycle(department.held[collector.staff_no]), each)
    ]
    times, nearest = times_of(deeds), bare.commit_times(run.installed, run.sized(1000, 100))
    return [
        Measurement(
            what=f"single reveal, p{share}",
            value=percentile(times, share / 100),
            unit="ms",
            limit=f"one bare INSERT, committed, p{share}",
            limit_value=percentile(nearest, share / 100),
        )
        for share in (50, 95)
    ]


def two_workers(run: Run, department: Department) -> list[Measurement]:

    def disclosing(number: int) -> Deed:
        SequencerThread(keys.keyring().signer()).start()
        collector = department.collectors[number]
        cases = cycle(department.held[collector.staff_no])
        return lambda: open_case(collector, next(cases))

    def inserting(_number: int) -> Deed:
        connection, body = run.installed.plain(), bytes(bare.ROW_BYTES)
        return lambda: connection.execute(bare.INSERT, [body])

    connections.close_all()  # no connection may be shared with a child
    seconds = run.sized(10, 2)
    return [
        Measurement(
            what="durable disclosures of 2 workers: masked case pages",
            value=rate_of_workers(disclosing, seconds=seconds),
            limit="2 processes, bare INSERTs, committed",
            limit_value=rate_of_workers(inserting, seconds=seconds),
        )
    ]
