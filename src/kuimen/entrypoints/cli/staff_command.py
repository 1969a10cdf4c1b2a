"""`kuimen sign-in` and `kuimen staff`: administer people at the terminal, as two officers who signed in."""

from datetime import date, datetime, time
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import UUID

import click

from kuimen.entrypoints.cli.installed import home_option, operator, unlock_options, unlocked
from kuimen.entrypoints.cli.signed_in import signed_in, token_option
from kuimen.entrypoints.installation.home import InstallationHome, write_private
from kuimen.entrypoints.terminal.output import emit_json, stdout, table
from kuimen.foundation.errors import InvalidInputError
from kuimen.foundation.sensitive import Sensitive

if TYPE_CHECKING:
    from kuimen.gate.access.services.changes import Decided

JSON = click.option("--json", "as_json", is_flag=True, help="JSON 输出 One JSON object, or one a line.")
KINDS = ("register_staff", "reset_sign_in", "assign_post", "register_agency", "end_post", "disable_staff")


class TokenPlaceError(InvalidInputError):
    """The file for the token exists already or cannot be written."""

    code = "cli.token_place"


@click.command("sign-in")
@click.option("--as", "staff_no", required=True, help="工号 Staff number.")
@click.option(
    "--token-file", required=True, type=click.Path(path_type=Path, dir_okay=False),
    help="令牌写入此新文件（0600） The token goes into this new file.",
)  # fmt: skip
@click.option("--secrets-fd", type=int, help="从描述符读两行：口令、动态码 Read password and code, a line each.")
@unlock_options
@home_option
def sign_in(
    *, staff_no: str, token_file: Path, secrets_fd: int | None, credentials_file: Path | None,
    passphrase_fd: int | None, home: InstallationHome,
) -> None:  # fmt: skip
    """以员工身份登录终端 Sign in at the terminal; the token ends after 12 hours.

    The keys are opened to check the code of the authenticator: the custodians' passphrases are needed.
    """
    if token_file.exists():
        raise TokenPlaceError("--token-file: exists already; name a new file")
    if secrets_fd is None:
        password = click.prompt(f"{staff_no} 口令 password", hide_input=True)
        code = click.prompt(f"{staff_no} 动态码 code", hide_input=True)
    else:
        with open(secrets_fd, encoding="utf-8") as stream:  # noqa: PTH123 - an open descriptor has no path
            password, code = (stream.readline().rstrip("\n") for _ in range(2))
    with unlocked(home, file=credentials_file, descriptor=passphrase_fd):
        from kuimen.gate.access import services as access

        issued = access.issue_token(
            staff_no,
            password=Sensitive(password, element="password"),
            totp_code=Sensitive(code, element="sms_code"),
        )
    try:
        write_private(token_file, issued.token.reveal_for("private token file").encode() + b"\n")
    except OSError:
        raise TokenPlaceError("--token-file: cannot be written there") from None
    stdout.print(f"已登录 Signed in: {token_file}", highlight=False)


@click.group()
def staff() -> None:
    """人员、岗位与机构（双人办理） People, posts and agencies, by two officers."""


@staff.command("list")
@token_option(required=True)
@JSON
@home_option
def list_(*, token_file: Path, as_json: bool, home: InstallationHome) -> None:
    """员工清单 List the staff with posts and active roles."""
    from kuimen.entrypoints.installation.install import opened

    with opened(home):
        from kuimen.gate.access.services.reading import staff_seen_by

        rows = staff_seen_by(signed_in(token_file))
    if as_json:
        for row in rows:
            emit_json(
                {"staff_no": row.staff_no, "display_name": row.display_name, "agency": row.agency,
                 "active": row.is_active, "second_factor": row.second_factor,
                 "awaits_activation": row.awaits_activation, "posts": list(row.posts), "roles": list(row.roles)}
            )  # fmt: skip
        return
    made = table(
        "员工 Staff", "工号", "姓名 Name", "机构 Agency", "岗位 Posts", "角色 Roles", "验证器 2FA", "在职 Active"
    )
    for row in rows:
        bound = "待激活 waits" if row.awaits_activation else "是 yes" if row.second_factor else "否 no"
        made.add_row(
            row.staff_no, row.display_name, row.agency, ", ".join(row.posts), ", ".join(row.roles), bound,
            "是 yes" if row.is_active else "否 no",
        )  # fmt: skip
    stdout.print(made)


@staff.command()
@token_option(required=True)
@JSON
@home_option
def waiting(*, token_file: Path, as_json: bool, home: InstallationHome) -> None:
    """待办：变更与角色申请 What waits for a second officer: changes, applications for roles."""
    from kuimen.entrypoints.installation.install import opened

    with opened(home):
        from kuimen.gate.access.rules import GrantState
        from kuimen.gate.access.services.reading import changes_seen_by, grants_seen_by

        subject = signed_in(token_file)
        rows = [
            {"id": str(change.change_id), "what": change.kind.value, "target": change.target,
             "state": change.state.value, "maker": change.maker, "reason": change.reason, "content": change.content}
            for change in changes_seen_by(subject, waiting=True)
        ] + [
            {"id": str(grant.grant_id), "what": "grant", "target": grant.staff_no, "state": grant.state.value,
             "maker": grant.applied_by, "reason": grant.reason, "content": {"role": grant.role, "post": grant.post}}
            for grant in grants_seen_by(subject, state=GrantState.APPLIED)
        ]  # fmt: skip
    if as_json:
        for row in rows:
            emit_json(row)
        return
    made = table("待办 Waiting", "编号 Id", "事项 What", "对象 Target", "内容 Content", "经办 Maker", "事由 Reason")
    for row in rows:
        content = row["content"]
        told = ", ".join(text for text in content.values() if text) if isinstance(content, dict) else ""
        first, last = (str(row[name]) for name in ("id", "what", "target")), (str(row["maker"]), str(row["reason"]))
        made.add_row(*first, told, *last)
    stdout.print(made)


@staff.command()
@click.argument("kind", type=click.Choice(KINDS))
@click.argument("target")
@click.option("--reason", required=True, help="事由 Why, without anybody's number.")
@click.option("--display-name", default="", help="工作姓名 Work name of new staff.")
@click.option("--agency", default="", help="委外机构代码 Agency of new staff; empty for the institution.")
@click.option("--name", default="", help="机构名称 Name of a new agency.")
@click.option("--post", default="", help="岗位代码 Code of a post.")
@token_option(required=True)
@JSON
@home_option
def change(  # noqa: PLR0913 - one option each
    *, kind: str, target: str, reason: str, display_name: str, agency: str, name: str, post: str, token_file: Path,
    as_json: bool, home: InstallationHome,
) -> None:  # fmt: skip
    """提出变更 Make a change about TARGET; what gives waits for the other officer, what takes acts at once."""
    from kuimen.entrypoints.installation.install import opened

    given = {"display_name": display_name, "agency": agency, "name": name, "post": post}
    with opened(home):
        from kuimen.gate.access import services as access
        from kuimen.gate.access.change_rules import ChangeKind

        done = access.propose_change(
            ChangeKind(kind), target, officer=signed_in(token_file), reason=reason,
            content={field: text for field, text in given.items() if text},
        )  # fmt: skip
    _tell(done, as_json=as_json)


@staff.command()
@click.argument("reference", type=click.UUID)
@token_option(required=True)
@JSON
@home_option
def approve(*, reference: UUID, token_file: Path, as_json: bool, home: InstallationHome) -> None:
    """作为第二人批准或会签 Approve, or countersign, a change or an application as the second officer."""
    from kuimen.entrypoints.installation.install import opened

    with opened(home):
        from kuimen.gate.access import services as access
        from kuimen.gate.access.change_rules import ChangeState
        from kuimen.gate.access.services.reading import changes_seen_by

        officer = signed_in(token_file)
        known = {row.change_id: row for row in changes_seen_by(officer)}
        if reference not in known:
            state = access.approve_grant(reference, officer=officer)
            _line({"id": str(reference), "state": state.value}, as_json=as_json)
            return
        taken = known[reference].state is ChangeState.EFFECTIVE
        done = (access.countersign_change if taken else access.approve_change)(reference, officer=officer)
    _tell(done, as_json=as_json)


@staff.command()
@click.argument("reference", type=click.UUID)
@click.option("--reason", required=True, help="驳回理由 Why not.")
@token_option(required=True)
@JSON
@home_option
def refuse(*, reference: UUID, reason: str, token_file: Path, as_json: bool, home: InstallationHome) -> None:
    """驳回变更或申请 Refuse a change or an application."""
    from kuimen.entrypoints.installation.install import opened

    with opened(home):
        from kuimen.gate.access import services as access
        from kuimen.gate.access.services.reading import changes_seen_by

        officer = signed_in(token_file)
        if reference in {row.change_id for row in changes_seen_by(officer)}:
            access.refuse_change(reference, officer=officer, reason=reason)
        else:
            access.refuse_grant(reference, officer=officer, reason=reason)
    _line({"id": str(reference), "state": "refused"}, as_json=as_json)


@staff.command()
@click.argument("staff_no")
@click.argument("item", type=click.Choice(("background", "confidentiality", "training")))
@click.option("--done-on", type=click.DateTime(["%Y-%m-%d"]), required=True, help="完成日 Day on which it was done.")
@click.option("--evidence", required=True, help="档案编号 Number of the paper or course.")
@token_option(required=True)
@JSON
@home_option
def file(
    *, staff_no: str, item: str, done_on: datetime, evidence: str, token_file: Path, as_json: bool,
    home: InstallationHome,
) -> None:  # fmt: skip
    """人员入档 Enter background check, confidentiality or training of somebody."""
    from kuimen.entrypoints.installation.install import opened

    with opened(home):
        from kuimen.gate.access import services as access
        from kuimen.gate.access.personnel_rules import FileItem

        access.record_personnel(
            staff_no, item=FileItem(item), done_on=done_on.date(), evidence=evidence, officer=signed_in(token_file)
        )
    _line({"staff_no": staff_no, "item": item}, as_json=as_json)


@staff.command()
@click.argument("staff_no")
@click.option("--role", required=True, help="角色代码 Role.")
@click.option("--post", required=True, help="岗位代码 Post that the person holds.")
@click.option("--until", type=click.DateTime(["%Y-%m-%d"]), required=True, help="有效至 Last day, within 366 days.")
@click.option("--reason", required=True, help="事由 Why.")
@token_option(required=True)
@JSON
@home_option
def grant(
    *, staff_no: str, role: str, post: str, until: datetime, reason: str, token_file: Path, as_json: bool,
    home: InstallationHome,
) -> None:  # fmt: skip
    """申请角色 Apply for a role for somebody; another officer approves it."""
    from kuimen.entrypoints.installation.install import opened

    with opened(home):
        from kuimen.foundation.clock import SHANGHAI
        from kuimen.gate.access import services as access

        last: date = until.date()
        reference = access.apply_for_role(
            staff_no, role=role, post=post, valid_until=datetime.combine(last, time.max, tzinfo=SHANGHAI),
            applicant=signed_in(token_file), reason=reason,
        )  # fmt: skip
    _line({"id": str(reference), "state": "applied"}, as_json=as_json)


@staff.command("reset-in-person")
@click.argument("staff_no")
@home_option
def reset_in_person(*, staff_no: str, home: InstallationHome) -> None:
    """两名保管人当面重置主管 Reset an officer when no two others are left: both custodians type their passphrases here.

    Never by file: the two passphrases, typed in person, are the two people.
    """
    from kuimen.entrypoints.installation.install import opened
    from kuimen.entrypoints.installation.unlocking import from_prompt

    with opened(home):
        from kuimen.gate.access import services as access
        from kuimen.gate.keys import services as keys

        typed = {who: text for who, text in from_prompt(keys.root_info(home.root_key).custodians).items() if text}
        keys.unlock(home.root_key, typed)
        try:
            password = click.prompt(f"{staff_no} 新口令 new password", hide_input=True, confirmation_prompt=True)
            access.reset_in_person(
                staff_no, Sensitive(password, element="password"), custodians=tuple(typed), actor=operator()
            )
        finally:
            keys.lock()
    _line({"staff_no": staff_no, "state": "reset"}, as_json=False)


def _tell(done: "Decided", *, as_json: bool) -> None:
    """Print what became of a change; an activation code is told here and nowhere again."""
    told: dict[str, object] = {"id": str(done.change_id), "what": done.kind.value, "target": done.target,
                               "state": done.state.value}  # fmt: skip
    if done.code is not None:
        told["activation_code"] = done.code.reveal_for("activation slip")
    _line(told, as_json=as_json)


def _line(told: dict[str, object], *, as_json: bool) -> None:
    if as_json:
        emit_json(told)
        return
    names = {"activation_code": "激活单，只显示这一次 Activation slip, told once", "state": "状态 State"}
    for name, text in told.items():
        stdout.print(f"{names.get(name, name)}: {text}", highlight=False)
