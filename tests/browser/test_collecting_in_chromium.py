"""Collectors and their leaders at work in Debian's Chromium: masks, watermarks, single values, dispatch."""

import re

import pytest
from playwright.sync_api import Page, expect

from fixtures.browsing import Visit, ask_to_reveal, assert_masked, assert_watermarked, case_path
from fixtures.live import (
    AGENT,
    COLLECTOR,
    LEADER,
    NEWCOMER,
    RIVAL_AGENT,
    SPENDER,
)

pytestmark = pytest.mark.browser

QUOTA = 10


@pytest.mark.clause("CQJR-5.4-d")
def test_a_collector_can_work_with_the_keyboard_alone(visit: Visit) -> None:
    visitor = visit()
    page, person = visitor.page, visitor.live.sign_ins[RIVAL_AGENT]
    visitor.open("/accounts/login/")
    expect(page.get_by_label("工号")).to_be_focused()
    page.keyboard.type(RIVAL_AGENT)
    page.keyboard.press("Tab")
    page.keyboard.type(person.password)
    page.keyboard.press("Enter")
    expect(page.get_by_label("动态码")).to_be_focused()
    page.keyboard.type(person.code())
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="催收案件")).to_be_visible()
    first = page.locator("#cases tbody a").first
    tab_to(page, first.get_attribute("href") or "")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="案件 C-")).to_be_visible()
    tab_to(page, "answer")
    page.keyboard.type("0000")
    page.keyboard.press("Enter")
    expect(page.locator("#challenge-result")).to_contain_text("不一致")


def tab_to(page: Page, mark: str) -> None:
    """Press Tab until the thing with this address or id is in focus, and see that its focus shows."""
    for _ in range(60):
        page.keyboard.press("Tab")
        if page.evaluate(
            "mark => [document.activeElement.getAttribute('href'), document.activeElement.id].includes(mark)", mark
        ):
            assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
            return
    raise AssertionError(f"Tab does not reach {mark}")


# Cases


@pytest.mark.clause("CQJR-5.4-d", "CQJR-5.4-g", "JRT0171-6.1.4.1-a")
def test_the_list_is_masked_and_watermarked(visit: Visit) -> None:
    visitor = visit(SPENDER)
    visitor.open("/cases/")
    rows = visitor.page.locator("#cases tbody tr")
    expect(rows).to_have_count(len(visitor.live.cases[SPENDER]))
    expect(rows.first.locator(".masked").nth(1)).to_have_text(re.compile(r"^199\*{4}\d{4}$"))
    assert_masked(visitor.live, visitor.text())
    assert_watermarked(visitor, SPENDER)


@pytest.mark.clause("CQJR-5.4-d")
def test_a_challenge_says_whether_an_answer_matches_and_no_more(visit: Visit) -> None:
    visitor = visit(COLLECTOR)
    identity = visitor.live.identities[visitor.live.cases[COLLECTOR][1]]
    visitor.open(case_path(visitor.live, COLLECTOR, 1))
    page = visitor.page
    for answer, told in (("0000", "不一致"), (identity.resident_id[-4:], "一致：")):
        page.locator("#answer").fill(answer)
        page.get_by_role("button", name="核验").click()
        expect(page.locator("#challenge-result")).to_contain_text(told)
        expect(page.locator("#answer")).to_have_value("")
    assert_masked(visitor.live, visitor.text())


@pytest.mark.clause("CQJR-5.4-d", "CQJR-5.2-h")
def test_one_value_shows_for_its_time_cannot_be_copied_and_leaves_nothing(visit: Visit) -> None:
    visitor = visit(COLLECTOR)
    page, case = visitor.page, visitor.live.cases[COLLECTOR][2]
    identity = visitor.live.identities[case]
    page.clock.install()
    visitor.open(case_path(visitor.live, COLLECTOR, 2))
    page.get_by_role("row", name="手机号").get_by_role("link", name="申请查看").click()
    expect(page.locator("#reveal-element")).to_have_value("mobile")
    expect(page.locator("#reason")).to_be_focused()
    ask_to_reveal(page, "mobile")
    value = page.locator("#revealed-value")
    expect(value).to_have_text(identity.mobile)
    expect(value).to_have_css("user-select", "none")
    assert page.evaluate(
        """() => ['copy', 'contextmenu', 'dragstart'].every((kind) =>
             !document.getElementById('revealed-value').dispatchEvent(
               new Event(kind, {bubbles: true, cancelable: true})))"""
    )
    page.clock.fast_forward(61_000)
    expect(page.locator("#reveal-result")).to_have_text("显示时间已到，内容已清除")
    assert_masked(visitor.live, visitor.text())

    ask_to_reveal(page, "resident_id")  # another field is another request, not a repetition
    expect(value).to_have_text(identity.resident_id)
    page.reload()
    assert_masked(visitor.live, visitor.text())


def test_a_reason_with_a_number_in_it_is_refused(visit: Visit) -> None:
    visitor = visit(COLLECTOR)
    visitor.expect_status(422)
    visitor.open(case_path(visitor.live, COLLECTOR, 3))
    ask_to_reveal(visitor.page, "mobile", reason="客户来电 1999000 0000 核对")
    expect(visitor.page.locator("#reveal-result")).to_contain_text("不得写入号码")


@pytest.mark.clause("CQJR-5.4-d")
def test_beyond_the_days_quota_the_fragment_and_the_page_refuse(visit: Visit) -> None:
    visitor = visit(SPENDER)
    visitor.expect_status(429)
    page = visitor.page
    visitor.open(case_path(visitor.live, SPENDER))
    for left in reversed(range(QUOTA)):
        ask_to_reveal(page, "person_name")
        expect(page.locator("#remaining-today")).to_have_text(str(left))
    with page.expect_response(re.compile("/reveal$")) as refused:
        ask_to_reveal(page, "person_name")
    assert refused.value.status == 429
    assert int(refused.value.headers["retry-after"]) > 0
    expect(page.locator("#reveal-result")).to_contain_text("今日的单项查看次数已用完")
    expect(page.locator("#revealed-value")).to_have_count(0)

    plain = visit(SPENDER, scripts=False)
    plain.expect_status(429)
    plain.open(case_path(plain.live, SPENDER))
    ask_to_reveal(plain.page, "person_name")
    expect(plain.page.get_by_role("heading", name="今日额度已用完")).to_be_visible()


def test_without_scripts_a_value_shows_on_a_page_that_no_cache_keeps(visit: Visit) -> None:
    visitor = visit(AGENT, scripts=False)
    visitor.open(case_path(visitor.live, AGENT))
    with visitor.page.expect_response(re.compile("/reveal$")) as answer:
        ask_to_reveal(visitor.page, "mobile")
    identity = visitor.live.identities[visitor.live.cases[AGENT][0]]
    expect(visitor.page.locator("#revealed-value")).to_have_text(identity.mobile)
    assert "no-store" in answer.value.headers["cache-control"]
    assert_watermarked(visitor, AGENT)


@pytest.mark.clause("CQJR-5.4-c")
def test_another_agencys_case_is_not_found(visit: Visit) -> None:
    visitor = visit(AGENT)
    visitor.expect_status(404)
    assert visitor.open(case_path(visitor.live, RIVAL_AGENT)).status == 404
    expect(visitor.page.get_by_text("没有这个案件，或它不在您的范围内")).to_be_visible()
    assert visitor.open("/cases/00000000-0000-4000-8000-000000000000/").status == 404
    assert_masked(visitor.live, visitor.text())


def test_a_leader_assigns_holds_and_deals_out(visit: Visit) -> None:
    visitor = visit(LEADER)
    page = visitor.page
    visitor.open(case_path(visitor.live, ""))
    page.locator("#assignee").select_option(COLLECTOR)
    page.locator("#assign").get_by_role("button", name="分派").click()
    expect(page.locator("#state")).to_have_text("已分案")
    page.get_by_role("button", name="退案").click()
    expect(page.locator("#state")).to_have_text("已退案")
    page.locator("#hold-reason").select_option("complaint")
    page.get_by_role("button", name="立即暂停").click()
    expect(page.locator("#state")).to_have_text("暂停")
    page.get_by_role("button", name="解除暂停").click()
    expect(page.locator("#history tr")).to_have_count(4)

    visitor.open("/cases/")
    waiting = int(page.locator("#waiting").inner_text())
    assert waiting == len(visitor.live.cases[""])
    for number in (NEWCOMER, AGENT):
        page.locator(f"input[name=assignee][value={number}]").check()
    page.locator("#deal").get_by_role("button", name="分派").click()
    expect(page.locator(".km-message")).to_contain_text(f"已分派 {waiting} 件")
    expect(page.locator("#deal")).to_have_count(0)
    expect(page.locator("#reveal")).to_have_count(0)


def test_a_collector_who_stops_a_case_hands_it_back(visit: Visit) -> None:
    visitor = visit(COLLECTOR)
    visitor.open(case_path(visitor.live, COLLECTOR, 9))
    visitor.page.locator("#hold-reason").select_option("hardship")
    visitor.page.get_by_role("button", name="立即暂停").click()
    expect(visitor.page).to_have_url(re.compile("/cases/$"))
    expect(visitor.page.locator(".km-message")).to_contain_text("暂停")
