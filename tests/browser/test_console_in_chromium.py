"""The console as its users meet it: Debian's Chromium against a served installation."""

import os
import re
from pathlib import Path

import pytest
from playwright.sync_api import expect

from fixtures.browsing import (
    Browsing,
    Visit,
    Visitor,
    assert_masked,
    assert_watermarked,
    case_path,
    sign_in,
)
from fixtures.live import (
    AGENT,
    ASSESSOR,
    AUDITOR,
    COLLECTOR,
    LEADER,
    NEWCOMER,
    OFFICER,
    SPENDER,
    STEWARD,
    UNBOUND,
    LiveConsole,
)
from kuimen.entrypoints.demo.people import SignIn

pytestmark = pytest.mark.browser

IMAGES = Path(__file__).parents[2] / "docs" / "images"
LARGEST_IMAGE = 300_000
# text that is neither a name nor marked as another language, with labels and placeholders
PAGE_TEXT = """() => {
  const own = (node) => node.closest('[translate="no"], .mono, script, style, .masked');
  const found = [document.title.replace('夔门 Kuimen', '')];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const node = walker.currentNode;
    if (node.textContent.trim() && !own(node.parentElement)) { found.push(node.textContent.trim()); }
  }
  for (const node of document.querySelectorAll('[aria-label], [placeholder], [alt]')) {
    if (own(node)) { continue; }
    for (const name of ['aria-label', 'placeholder', 'alt']) { found.push(node.getAttribute(name) || ''); }
  }
  return found;
}"""
CHINESE = re.compile(r"[\u3400-\u9fff]")
ENGLISH = re.compile(r"\b[A-Za-z]{3,} [A-Za-z]{2,}\b")
NAMES = re.compile(r"kuimen (?:audit verify|scan)|Asia/Shanghai")


@pytest.mark.clause("JRT0171-7.3-b")
def test_number_password_and_code_lead_to_the_work_of_the_post_and_a_code_works_once(visit: Visit) -> None:
    visitor = visit()
    page, person = visitor.page, visitor.live.sign_ins[NEWCOMER]
    visitor.open("/")
    expect(page).to_have_url(re.compile("/accounts/login/"))
    page.get_by_label("工号").fill(NEWCOMER)
    page.get_by_label("口令").fill(person.password)
    page.get_by_role("button", name="下一步").click()
    expect(page.get_by_role("heading", name="双因素认证")).to_be_visible()
    code = person.code()
    page.get_by_label("动态码").fill(code)
    page.get_by_role("button", name="登录").click()
    expect(page).to_have_url(re.compile("/cases/"))
    expect(page.locator(".nav-name")).to_contain_text(NEWCOMER)
    page.get_by_role("button", name="退出").click()
    expect(page).to_have_url(re.compile("/accounts/login/"))

    page.get_by_label("工号").fill(NEWCOMER)
    page.get_by_label("口令").fill(person.password)
    page.get_by_role("button", name="下一步").click()
    page.get_by_label("动态码").fill(code)
    page.get_by_role("button", name="登录").click()
    expect(page.get_by_role("alert")).to_be_visible()
    visitor.open("/cases/")
    expect(page).to_have_url(re.compile("/accounts/"))


def test_a_wrong_password_gives_nothing_away(visit: Visit) -> None:
    answers = []
    for number in (SPENDER, "NOBODY"):
        visitor = visit()
        visitor.open("/accounts/login/")
        visitor.page.get_by_label("工号").fill(number)
        visitor.page.get_by_label("口令").fill("not-the-password-26")
        visitor.page.get_by_role("button", name="下一步").click()
        answers.append(visitor.page.get_by_role("alert").inner_text())
    assert answers[0] == answers[1]
    assert CHINESE.search(answers[0])


def test_whoever_has_no_authenticator_binds_one_before_anything_else(visit: Visit) -> None:
    visitor = visit()
    page, person = visitor.page, visitor.live.sign_ins[UNBOUND]
    visitor.open("/accounts/login/")
    page.get_by_label("工号").fill(UNBOUND)
    page.get_by_label("口令").fill(person.password)
    page.get_by_role("button", name="下一步").click()
    expect(page.get_by_role("heading", name="绑定验证器")).to_be_visible()
    visitor.open("/cases/")
    expect(page.get_by_role("heading", name="绑定验证器")).to_be_visible()
    page.get_by_text("手工输入密钥").click()
    seed = page.locator("#secret").inner_text()
    bound = SignIn(staff_no=UNBOUND, display_name="", role="", password="", seed=seed)
    page.get_by_label("动态码").fill(bound.code())
    page.get_by_role("button", name="绑定").click()
    expect(page.locator(".nav-name")).to_contain_text(UNBOUND)
    expect(page.get_by_role("heading", name="您目前没有生效的岗位权限")).to_be_visible()


@pytest.mark.clause("CQJR-5.4-d", "CQJR-6.5-a")
def test_the_watermark_leads_an_auditor_to_a_proven_entry(visit: Visit) -> None:
    looker = visit(COLLECTOR)
    looker.open(case_path(looker.live, COLLECTOR, 4))
    view = assert_watermarked(looker, COLLECTOR)

    auditor = visit(AUDITOR)
    page = auditor.page
    auditor.open("/audit/")
    page.get_by_label("水印上的视图编号").fill(str(view))
    page.get_by_role("button", name="查找").click()
    rows = page.locator("#entries tbody tr")
    expect(rows).to_have_count(1)
    expect(rows).to_contain_text(COLLECTOR)
    expect(rows).to_contain_text("查看脱敏页面")
    page.get_by_role("link", name="证明").click()
    expect(page.get_by_role("heading", name="包含证明")).to_be_visible()
    for _ in range(40):  # the sequencer numbers an entry within a second
        if page.locator("#proof-verified").count():
            break
        page.reload()
    expect(page.locator("#proof-verified")).to_have_text("已验证")
    expect(page.locator("#content-table")).to_contain_text(str(view))
    assert_masked(auditor.live, auditor.text())


def test_an_officer_sees_the_state_of_the_whole_in_charts(visit: Visit) -> None:
    visitor = visit(OFFICER)
    visitor.open("/")
    expect(visitor.page).to_have_url(re.compile("/overview/$"))
    visitor.charts_drawn()
    charts = visitor.page.locator(".chart svg")
    expect(charts).to_have_count(3)
    for chart in charts.all():
        assert chart.locator("path").count() > 3
    expect(visitor.page.locator(".chart").nth(0)).to_contain_text("已加密")
    expect(visitor.page.locator(".chart").nth(1)).to_contain_text("贷后催收")
    expect(visitor.page.locator("#places")).to_contain_text("t_cust_info")
    expect(visitor.page.get_by_role("link", name="审计日志")).to_have_count(0)


def test_an_assessor_runs_every_control_and_takes_the_report_away(visit: Visit) -> None:
    visitor = visit(ASSESSOR)
    page = visitor.page
    page.set_default_timeout(120_000)
    visitor.open("/assessment/")
    before = page.locator("#assessment-number").inner_text()
    page.get_by_role("button", name="运行全部控制项").click()
    expect(page.locator(".km-message")).to_contain_text("完成", timeout=120_000)
    assert page.locator("#assessment-number").inner_text() != before
    visitor.charts_drawn()
    counted = [int(page.locator(f"#verdict-{code}").inner_text()) for code in ("conform", "not_assessed")]
    assert all(counted)
    conform = page.locator("#clause-table tr").filter(has=page.locator(".verdict-conform"))
    expect(conform).to_have_count(counted[0])
    conform.first.locator("summary").click()
    expect(conform.first.locator(".km-evidence").first).to_contain_text("SM3")
    report = page.request.get(visitor.live.address + (page.locator("#report").get_attribute("href") or ""))
    assert report.headers["content-type"] == "application/pdf"
    assert report.body().startswith(b"%PDF")

    page.locator("#clauses").get_by_label("结论").select_option("not_assessed")
    page.locator("#clauses").get_by_role("button", name="筛选").click()
    expect(page.locator(".km-unseen tbody tr")).to_have_count(counted[1])
    expect(page.locator("#clause-table")).to_have_count(0)


def test_who_may_not_run_an_assessment_is_not_offered_to(visit: Visit) -> None:
    visitor = visit(AUDITOR)
    visitor.open("/assessment/")
    expect(visitor.page.locator("#clause-table")).to_be_visible()
    expect(visitor.page.get_by_role("button", name="运行全部控制项")).to_have_count(0)


# Every page


def pages_of(live: LiveConsole) -> list[tuple[str, str]]:
    """Return who opens which page."""
    return [
        (OFFICER, "/overview/"),
        (OFFICER, "/assessment/"),
        (COLLECTOR, "/cases/"),
        (COLLECTOR, case_path(live, COLLECTOR)),
        (LEADER, "/cases/"),
        (LEADER, case_path(live, COLLECTOR, 5)),
        (AUDITOR, "/audit/"),
        (AUDITOR, ""),
        (ASSESSOR, "/assessment/"),
    ]


def open_in_turn(visitor: Visitor, path: str) -> None:
    """Open a page; the empty path is the proof of the newest entry."""
    visitor.open(path or "/audit/")
    if not path:
        visitor.page.locator("#entries a").first.click()
        expect(visitor.page.locator("#content-table")).to_be_visible()


def test_every_page_speaks_the_language_that_was_chosen_and_no_other(visit: Visit, browsing: Browsing) -> None:
    pages = pages_of(browsing.live)
    for who in dict.fromkeys(who for who, _ in pages):
        visitor = visit(who)
        own = [path for reader, path in pages if reader == who]
        for path in own:
            open_in_turn(visitor, path)
            told = [NAMES.sub("", text) for text in visitor.page.evaluate(PAGE_TEXT)]
            assert [text for text in told if ENGLISH.search(text) and not CHINESE.search(text)] == [], path
        choose_language(visitor, "en")
        for path in own:
            open_in_turn(visitor, path)
            assert [text for text in visitor.page.evaluate(PAGE_TEXT) if CHINESE.search(text)] == [], path
        choose_language(visitor, "zh-CN")


def choose_language(visitor: Visitor, language: str) -> None:
    """Press the switch; the page that was open comes back in the other language."""
    address = visitor.page.url
    visitor.page.get_by_role("button", name={"en": "English", "zh-CN": "中文"}[language]).click()
    expect(visitor.page.locator("html")).to_have_attribute("lang", language)
    expect(visitor.page).to_have_url(address)


def test_the_pages_before_sign_in_and_of_errors_speak_both_languages(visit: Visit) -> None:
    visitor = visit(AGENT)
    visitor.expect_status(403, 404)
    entrance = visit()
    for window, path, status in (
        (entrance, "/accounts/login/", 200), (visitor, "/nowhere", 404), (visitor, "/audit/", 403),
        (visitor, "/accounts/logout/", 200), (visitor, "/accounts/closed/account-signup/", 404),
    ):  # fmt: skip
        assert window.open(path).status == status
        assert [text for text in window.page.evaluate(PAGE_TEXT) if ENGLISH.search(text)] == [], path
        choose_language(window, "en")
        assert [text for text in window.page.evaluate(PAGE_TEXT) if CHINESE.search(text)] == [], path
        choose_language(window, "zh-CN")


def test_every_answer_forbids_framing_keeping_and_foreign_scripts(visit: Visit, browsing: Browsing) -> None:
    people = {who: visit(who) for who, _ in pages_of(browsing.live)}
    wanted = [(people[who], path or "/audit/") for who, path in pages_of(browsing.live)]
    wanted += [(visit(), path) for path in ("/accounts/login/", "/nowhere")]
    for visitor, path in wanted:
        answer = visitor.page.request.get(browsing.live.address + path)
        headers, policy = answer.headers, answer.headers["content-security-policy"]
        assert "unsafe-inline" not in policy
        assert "unsafe-eval" not in policy
        assert "script-src 'self'" in policy
        assert "frame-ancestors 'none'" in policy
        assert headers["x-frame-options"] == "DENY"
        assert "no-store" in headers["cache-control"], path
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "same-origin"
        assert re.search(r"<script(?![^>]*src=)|<[^>]+ (?:style|onclick)=", answer.text()) is None, path


def test_an_old_form_and_a_bare_address_are_answered_with_a_page(visit: Visit) -> None:
    visitor = visit(AGENT)
    visitor.expect_status(403, 405)
    visitor.open(case_path(visitor.live, AGENT, 1))
    visitor.context.clear_cookies(name="csrftoken")
    visitor.page.get_by_role("button", name="开始作业").click()
    expect(visitor.page.get_by_role("heading", name="页面已过期")).to_be_visible()
    assert visitor.open(case_path(visitor.live, AGENT, 1) + "reveal").status == 405
    expect(visitor.page.get_by_role("heading", name="请从页面操作")).to_be_visible()


def test_a_session_that_ended_elsewhere_leads_a_fragment_to_the_sign_in_page(visit: Visit) -> None:
    visitor = visit()
    sign_in(visitor, OFFICER.replace("1", "2"))
    visitor.open("/overview/")
    visitor.charts_drawn()
    elsewhere = visit()
    elsewhere.context.add_cookies(visitor.context.cookies())
    elsewhere.open("/accounts/logout/")
    elsewhere.page.locator("main").get_by_role("button", name="退出").click()
    elsewhere.page.wait_for_url(re.compile("/accounts/login/"))
    visitor.page.evaluate("() => { htmx.ajax('GET', '/overview/', {target: '#content', swap: 'innerHTML'}); }")
    expect(visitor.page).to_have_url(re.compile("/accounts/login/"))


def test_the_pictures_of_the_readme_can_be_taken(visit: Visit, tmp_path: Path) -> None:
    target = IMAGES if os.environ.get("KUIMEN_WRITE_SCREENSHOTS") == "1" else tmp_path
    target.mkdir(parents=True, exist_ok=True)
    for who, path, name in (
        (COLLECTOR, "", "case-page.png"), (OFFICER, "/overview/", "overview.png"),
        (ASSESSOR, "/assessment/", "assessment.png"),
    ):  # fmt: skip
        visitor = visit(who)
        visitor.open(path or case_path(visitor.live, COLLECTOR))
        visitor.charts_drawn()
        visitor.page.screenshot(path=target / name)
        assert_masked(visitor.live, visitor.text())
        assert (target / name).stat().st_size < LARGEST_IMAGE, name


@pytest.mark.clause("CQJR-6.2-b")
def test_a_steward_corrects_a_column_and_an_officer_approves_what_lowers_it(visit: Visit) -> None:
    steward, officer = visit(STEWARD), visit(OFFICER)
    page = steward.page
    steward.open("/assets/?q=monthly_income")
    row = page.locator("#assets tbody tr").filter(has_text="monthly_income").first
    expect(row).to_contain_text("收入")
    row.get_by_text("展开").click()
    expect(row.locator(".km-evidence")).to_be_visible()
    row.get_by_label("这一列是").select_option("none")
    row.get_by_label("理由").fill("测试系统的随机数")
    row.get_by_role("button", name="订正或确认").click()
    expect(page.get_by_text("等待他人批准")).to_be_visible()
    waiting = page.locator("#proposals tbody tr")
    expect(waiting).to_contain_text("monthly_income")
    expect(waiting.get_by_role("button", name="批准")).to_have_count(0)

    officer.open("/assets/?only=corrected")
    proposal = officer.page.locator("#proposals tbody tr")
    expect(proposal).to_contain_text(STEWARD)
    proposal.get_by_role("button", name="批准").click()
    expect(officer.page.get_by_text("已批准，订正生效")).to_be_visible()
    expect(officer.page.locator("#assets tbody tr")).to_contain_text("已订正")

    steward.open("/assets/?only=not_read")
    expect(page.locator(".empty-state").or_(page.get_by_text("未读取原因").first)).to_be_visible()
    assert_masked(steward.live, steward.text())
