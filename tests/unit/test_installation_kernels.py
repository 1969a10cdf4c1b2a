import pytest

from kuimen.entrypoints.installation import check
from kuimen.kernels.native import HOW_BUILT


def test_the_check_names_how_the_kernels_were_built_and_the_path_that_seals(monkeypatch: pytest.MonkeyPatch) -> None:
    found = {finding.subject: finding for finding in check._check_kernels()}
    assert HOW_BUILT in found["native_kernels"].text_en
    assert found["sealing_path"].grade is check.Grade.OK
    assert "numpy ready" in found["sealing_path"].text_en
    monkeypatch.setattr(check, "path_states", lambda: {"aesni": "failed its known answers", "portable": "ready"})
    found = {finding.subject: finding for finding in check._check_kernels()}
    assert found["sealing_path"].grade is check.Grade.FAIL
    assert "自检未通过" in found["sealing_path"].text_zh
