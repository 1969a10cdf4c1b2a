"""Controls of the console: pages with customer data carry the watermark; a page that loses it is seen."""

import copy
from pathlib import Path

import pytest
from django.conf import settings
from django.template.loader import get_template
from django.test import override_settings

from kuimen.entrypoints.console import controls
from kuimen.foundation import clock
from kuimen.standard import Outcome, ProbeContext, ProbeResult


def result() -> ProbeResult:
    return controls.pages_carry_their_watermark(ProbeContext(at=clock.now()))


def overridden(folder: Path, name: str, text: str) -> override_settings:
    """Serve another text for one template, as an operator could by a template folder of his own."""
    target = folder / name
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(text, encoding="utf-8")
    templates = copy.deepcopy(settings.TEMPLATES)
    templates[0]["DIRS"] = [folder]
    return override_settings(TEMPLATES=templates)


def source_of(name: str) -> str:
    return str(get_template(name).template.source)  # type: ignore[attr-defined] # Django's own engine


@pytest.mark.clause("CQJR-5.4-d", "CQJR-5.2-h", "CQJR-5.4-g", "JRT0171-6.1.4.1-b")
def test_the_pages_of_this_release_hold() -> None:
    found = result()
    assert found.outcome is Outcome.HOLDS, found.observations[0].facts
    assert int(found.observations[0].facts["pages_with_personal_data"]) >= 2


@pytest.mark.planted_defect("CQJR-5.4-d", "CQJR-5.2-h", "CQJR-5.4-g", "JRT0171-6.1.4.1-b")
@pytest.mark.parametrize("page", ["console/case.html", "console/cases.html"])
def test_a_page_without_its_watermark_is_seen(tmp_path: Path, page: str) -> None:
    text = source_of(page).replace('{% include "console/watermark.html" %}', "")
    with overridden(tmp_path, page, text):
        found = result()
    assert found.outcome is Outcome.REFUTED
    assert found.observations[0].facts["where"] == page


@pytest.mark.planted_defect("CQJR-5.4-d")
def test_a_watermark_that_names_nobody_is_seen(tmp_path: Path) -> None:
    with overridden(tmp_path, "console/watermark.html", '<div class="watermark">夔门</div>'):
        assert result().outcome is Outcome.REFUTED


@pytest.mark.planted_defect("CQJR-5.4-d")
def test_a_clear_value_that_stays_on_the_screen_is_seen(tmp_path: Path) -> None:
    fragment = "console/reveal_result.html"
    with overridden(tmp_path, fragment, source_of(fragment).replace("data-expires", "data-forever")):
        assert result().outcome is Outcome.REFUTED


@pytest.mark.planted_defect("CQJR-5.4-d")
@pytest.mark.parametrize(
    ("before", "after"),
    [
        (".watermark {", ".watermark { opacity: 0;"),
        ("position: fixed", "display: none"),
        ("user-select: none", "user-select: text"),
    ],
)
def test_a_style_that_hides_the_watermark_or_frees_copying_is_seen(tmp_path: Path, before: str, after: str) -> None:
    from django.contrib.staticfiles import finders

    shipped = Path(str(finders.find("console/kuimen.css"))).read_text(encoding="utf-8")
    changed = tmp_path / "console" / "kuimen.css"
    changed.parent.mkdir()
    changed.write_text(shipped.replace(before, after), encoding="utf-8")
    finders.get_finder.cache_clear()
    with override_settings(STATICFILES_DIRS=[tmp_path]):
        assert result().outcome is Outcome.REFUTED
    finders.get_finder.cache_clear()
