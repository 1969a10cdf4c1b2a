"""Keys of logs and JSON: what stands behind them is found, and what only resembles it is left alone."""

import pytest

from kuimen.kernels.detection import ColumnSample, classify_columns, detect
from kuimen.kernels.detection.labelled import key_element
from kuimen.kernels.elements.overlay import FICTITIOUS

HEX40 = "fa0f0b4a5e21c9e3fa0f0b4a5e21c9e3fa0f0b4a"


@pytest.mark.parametrize(
    ("line", "element", "value"),
    [
        ("login ok ip=- device=004402000089049", "device_id", "004402000089049"),
        ('{"device": "3f2504e0-4f89-11d3-9a0c-0305e82c3301"}', "device_id", "3f2504e0-4f89-11d3-9a0c-0305e82c3301"),
        (f"issue access_token={HEX40} for cust=C1", "secret_key", HEX40),
        (f"sessionToken: {HEX40}", "secret_key", HEX40),
        (f'"refresh_token":"{HEX40}"', "secret_key", HEX40),
    ],
)
def test_keys_of_logs_announce_their_value(line: str, element: str, value: str) -> None:
    assert [(str(one.element), line[one.start : one.end]) for one in detect(line, tables=FICTITIOUS)] == [
        (element, value)
    ]


@pytest.mark.parametrize("line", ["device=iPhone12 ok", "device=HUAWEI-P30-Pro", "terminal=xterm-256color"])
def test_models_of_devices_are_no_device_ids(line: str) -> None:
    assert detect(line, tables=FICTITIOUS) == []


@pytest.mark.parametrize("key", ["phone_token", "mobile_hash", "id_no_encrypted"])
def test_a_token_of_a_datum_still_is_a_derivative_of_it(key: str) -> None:
    assert key_element(key)[0] in {"mobile", "resident_id", None}


def test_addresses_with_a_prefix_length_are_addresses() -> None:
    column = ColumnSample(table="device_info", name="ip", type="inet", values=["11.22.33.44/32", "11.22.33.45/32"] * 9)
    assert classify_columns([column])[0].element == "ip"
