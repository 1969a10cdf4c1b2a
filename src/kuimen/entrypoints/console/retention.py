"""What is due: the list, suspension, the request for a second person, destruction, the certificate."""

from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from kuimen.entrypoints.console.context import may
from kuimen.entrypoints.console.language import say
from kuimen.entrypoints.console.overview import subject_or_login
from kuimen.foundation.errors import InvalidInputError
from kuimen.gate.access import services as access
from kuimen.gate.access.rules import Action
from kuimen.gate.retention import services
from kuimen.gate.retention.rules import CLASS_TITLES, ErasureState
from kuimen.gate.retention.services import ErasureView
from kuimen.gate.retention.typesetting import certificate_pdf

STATE_TITLES = {
    ErasureState.DUE: ("到期", "Due"),
    ErasureState.SUSPENDED: ("已停用", "Suspended"),
    ErasureState.DESTROYED: ("已销毁", "Destroyed"),
    ErasureState.LAPSED: ("已失效", "Lapsed"),
}
DESTROYED_SHOWN = 50


class StepShapeError(InvalidInputError):
    """The page does not know this step."""

    code = "console.retention_step"


@login_required
@require_GET
def due(request: HttpRequest) -> HttpResponse:
    """Show what is due and what was destroyed last; references only."""
    subject = subject_or_login(request)
    open_ones = services.due_list(reader=subject)
    destroyed = services.due_list(reader=subject, state=ErasureState.DESTROYED)
    context = {
        "rows": [_row(one) for one in open_ones],
        "destroyed": [_row(one) for one in destroyed[-DESTROYED_SHOWN:]],
        "may_suspend": may(subject, Action.RETENTION_SUSPEND),
        "may_destroy": may(subject, Action.RETENTION_DESTROY),
    }
    return render(request, "console/retention.html", context)


@login_required
@require_POST
def step(request: HttpRequest, erasure_id: UUID) -> HttpResponse:
    """Take one step with an erasure."""
    subject = subject_or_login(request)
    wanted = request.POST.get("step", "")
    if wanted == "suspend":
        services.suspend(erasure_id, officer=subject)
        messages.success(request, say("已停用，不再向任何人展示", "Suspended; nobody is shown it any more"))
    elif wanted == "resume":
        services.resume(erasure_id, officer=subject)
        messages.success(request, say("已恢复", "Resumed"))
    elif wanted == "request":
        ticket = services.request_destruction(erasure_id, maker=subject, reason=request.POST.get("reason", ""))
        messages.success(
            request, say(f"已提请他人批准：{ticket.ticket_id}", f"Another person is to approve: {ticket.ticket_id}")
        )
    elif wanted == "destroy":
        done = services.destroy(erasure_id, maker=subject)
        messages.success(
            request,
            say(f"已销毁 {done.records_destroyed} 条记录", f"{done.records_destroyed} records destroyed"),
        )
    else:
        raise StepShapeError("step: suspend, resume, request or destroy")
    return redirect("retention")


@login_required
@require_POST
def certificate(request: HttpRequest, erasure_id: UUID) -> HttpResponse:
    """Make a certificate and hand out its PDF or its JSON form."""
    subject = subject_or_login(request)
    made = services.certify(erasure_id, actor=access.actor_of(subject), reader=subject)
    as_json = request.POST.get("form") == "json"
    content = made.content if as_json else certificate_pdf(made.document, key_id=made.key_id)
    kind = "json" if as_json else "pdf"
    answer = HttpResponse(content, content_type=f"application/{kind}")
    answer["Content-Disposition"] = f'attachment; filename="erasure-{erasure_id}.{kind}"'
    answer["Cache-Control"] = "no-store"
    return answer


def _row(one: ErasureView) -> dict[str, object]:
    class_zh, class_en = CLASS_TITLES[one.retention_class]
    state_zh, state_en = STATE_TITLES[one.state]
    return {
        "erasure": one,
        "class_zh": class_zh,
        "class_en": class_en,
        "state_zh": state_zh,
        "state_en": state_en,
        "is_due": one.state is ErasureState.DUE,
        "is_suspended": one.state is ErasureState.SUSPENDED,
    }
