"""Probes of the console: pages with personal data carry the watermark of their view, are not kept and not copied."""

import re
from datetime import datetime
from importlib.resources import files
from uuid import UUID

from django.contrib.staticfiles import finders
from django.template import TemplateDoesNotExist
from django.template.loader import get_template, render_to_string
from django.template.loader_tags import IncludeNode

from kuimen.foundation.identifiers import ViewId
from kuimen.gate.disclosure.results import Watermark
from kuimen.standard import Fact, Observation, Outcome, ProbeContext, ProbeResult, control

_WATERMARK = "console/watermark.html"
# The classes by which every template marks a customer's value, masked or in clear.
_PERSONAL = re.compile(r'class="[^"]*\b(masked|revealed)\b')
_STYLE = "console/kuimen.css"
_HIDDEN = re.compile(r"display:\s*none|visibility:\s*hidden|opacity:\s*0(?![.\d])|opacity:\s*0?\.0[0-4]")
_VIEW = ViewId(UUID(int=0x9900))


@control("CQJR-5.4-d", title_zh="含客户信息的页面默认带水印", title_en="Pages with customer data carry a watermark")
@control("CQJR-5.2-h", title_zh="人工环节页面的水印与防拷贝", title_en="Watermark and copy guard where people step in")
@control("CQJR-5.4-g", title_zh="催收页面的水印与防拷贝", title_en="Watermark and copy guard on collection pages")
@control("JRT0171-6.1.4.1-b", title_zh="后台展示防拷贝", title_en="Back-office pages guard against copying")
def pages_carry_their_watermark(context: ProbeContext) -> ProbeResult:
    """Look into the templates and styles that this installation serves, and render a specimen watermark."""
    names = _pages()
    personal = [name for name in names if _PERSONAL.search(_source(name))]
    pages = [name for name in personal if "{% extends" in _source(name)]
    bare = [name for name in pages if not _includes_watermark(name)]
    unclipped = [name for name in personal if "revealed" in _source(name) and "data-expires" not in _whole(name)]
    specimen = _specimen(context.at)
    rules = _style_rules()
    watermark_rule = "".join(body for selector, body in rules if selector == ".watermark")
    facts: dict[str, Fact] = {
        "pages": len(names),
        "pages_with_personal_data": len(pages),
        "pages_without_watermark": len(bare),
        "clear_values_without_expiry": len(unclipped),
        "watermark_names_the_viewer": specimen,
        "watermark_is_visible": bool(watermark_rule) and not _HIDDEN.search(watermark_rule),
        "copying_is_guarded": any(selector == ".revealed" and "user-select: none" in body for selector, body in rules),
        "where": ", ".join(sorted({*bare, *unclipped})),
    }
    seen = (
        Observation(
            title_zh="现行页面模板与样式", title_en="templates and styles in use", facts=facts, reference="console"
        ),
    )
    sound = not bare and not unclipped and specimen and facts["watermark_is_visible"] and facts["copying_is_guarded"]
    if not sound:
        return ProbeResult(
            outcome=Outcome.REFUTED,
            observations=seen,
            remedy_zh="恢复所列页面的水印、明文时限与防拷贝样式",
            remedy_en="restore watermark, expiry of clear values and copy guard on these pages",
        )
    return ProbeResult(outcome=Outcome.HOLDS if pages else Outcome.INSUFFICIENT, observations=seen)


def _pages() -> list[str]:
    folder = files("kuimen.entrypoints.console").joinpath("templates", "console")
    return sorted(f"console/{entry.name}" for entry in folder.iterdir() if entry.name.endswith(".html"))


def _source(name: str) -> str:
    """Return the text of the template that the engine would use, an override included."""
    template = get_template(name).template  # type: ignore[attr-defined] # Django's own engine; its stubs name the protocol
    return str(template.source)


def _whole(name: str) -> str:
    """Return the text of a template with the fragments that it includes."""
    included = re.findall(r'{% include "([^"]+)" %}', _source(name))
    return _source(name) + "".join(_source(part) for part in included)


def _includes_watermark(name: str) -> bool:
    template = get_template(name).template  # type: ignore[attr-defined] # as above
    nodes = template.nodelist.get_nodes_by_type(IncludeNode)
    return any(getattr(node.template, "var", None) == _WATERMARK for node in nodes)


def _specimen(at: datetime) -> bool:
    shown = Watermark(display_name="演示员工", staff_no="S-CONTROL", at=at, view_id=_VIEW)
    try:
        text = render_to_string(_WATERMARK, {"watermark": shown})
    except TemplateDoesNotExist:
        return False
    return all(part in text for part in (shown.display_name, shown.staff_no, str(shown.view_id)))


def _style_rules() -> list[tuple[str, str]]:
    path = finders.find(_STYLE)
    if path is None:
        return []
    with open(path, encoding="utf-8") as style:  # noqa: PTH123 - the finder returns a plain path
        text = style.read()
    return [(selector.strip(), body) for selector, body in re.findall(r"([^{}]+)\{([^{}]*)\}", text)]
