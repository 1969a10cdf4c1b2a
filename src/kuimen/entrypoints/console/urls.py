"""The console's pages."""

from django.urls import include, path

from kuimen.entrypoints.console import assessments, audit, cases, charts, dispatch, overview

urlpatterns = [
    path("", overview.landing, name="landing"),
    path("overview/", overview.overview, name="overview"),
    path("charts/<slug:name>", charts.chart, name="chart"),
    path("cases/", cases.case_list, name="cases"),
    path("cases/deal", dispatch.deal, name="case-deal"),
    path("cases/<uuid:case_id>/", cases.case_page, name="case"),
    path("cases/<uuid:case_id>/event", cases.take_step, name="case-event"),
    path("cases/<uuid:case_id>/assign", dispatch.assign, name="case-assign"),
    path("cases/<uuid:case_id>/hold", dispatch.hold, name="case-hold"),
    path("cases/<uuid:case_id>/challenge", cases.challenge, name="case-challenge"),
    path("cases/<uuid:case_id>/reveal", cases.reveal, name="case-reveal"),
    path("audit/", audit.explorer, name="audit"),
    path("audit/<uuid:entry_id>/", audit.entry_page, name="audit-entry"),
    path("assessment/", assessments.assessment, name="assessment"),
    path("assessment/run", assessments.run, name="assessment-run"),
    path("assessment/<uuid:assessment_id>/report.pdf", assessments.report, name="assessment-report"),
    path("i18n/", include("django.conf.urls.i18n")),
    path("accounts/", include("kuimen.entrypoints.console.accounts")),
]
