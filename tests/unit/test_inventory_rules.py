"""What the asset directory says after a scan: masks are no drift and no downgrade, values are."""

from pathlib import Path

import pytest

from kuimen.governance.inventory.rules import AssetState, merge
from kuimen.sources.scan import scan_source

CLEAR, DESTROYED = AssetState.CLEAR, AssetState.DESTROYED


@pytest.mark.parametrize("personal", [True, False])
def test_masks_in_place_of_destroyed_values_leave_them_destroyed(*, personal: bool) -> None:
    said = merge(DESTROYED, CLEAR, personal=personal, first_scan=False, was_personal=True, masked=True)
    assert (said.state, said.drifted) == (DESTROYED, False)


def test_values_that_come_back_after_destruction_are_an_alarm() -> None:
    said = merge(DESTROYED, CLEAR, personal=True, first_scan=False, was_personal=True)
    assert (said.state, said.drifted) == (CLEAR, True)


def test_a_new_column_of_masks_is_no_drift_and_one_of_values_is() -> None:
    assert not merge(None, CLEAR, personal=True, first_scan=False, masked=True).drifted
    assert merge(None, CLEAR, personal=True, first_scan=False).drifted


def test_columns_of_nothing_but_masks_are_reported_as_masked(tmp_path: Path) -> None:
    (tmp_path / "export.csv").write_text("姓名,安全码,备注\n******,***,\n******,***,x\n", encoding="utf-8")
    masked = {row.column: row.masked for row in scan_source(str(tmp_path), overlay="fictitious")}
    assert masked == {"姓名": True, "安全码": True, "备注": False}
