"""What one can do with automations: write, change, switch on and off, try on what has happened; and what the worker does."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import select, text

from chassis.db import new_id
from chassis.errors import Conflict, DomainError, Invalid, Unavailable
from chassis.uow import Uow
from workflow.automations import acting, carried, checking, happenings, rules
from workflow.automations.tables import Automation, AutomationRun, AutomationVersion, Happening
from workflow.copies.tables import ClientCopy
from workflow.copies.usecases import day_begins, today_of
from workflow.dates.parsing import date_of, dates_checked
from workflow.hints import hint
from workflow.requests.rules import WITH_CLIENT

# --- writing ---------------------------------------------------------------------------------------------------------


def create_automation(uow: Uow, body: Mapping[str, Any]) -> Automation:
    """Errors: those of `checking.check`, `automation_triggers_itself`, `automation_loop`."""
    content = rules.normal(body)
    checking.check(uow, content, "")
    automation = Automation(
        id=new_id(),
        name=body["name"].strip(),
        enabled=body.get("enabled", True),
        archived=False,
        trigger=content["trigger"]["on"],
        current_number=1,
    )
    if automation.enabled:
        _refuse_loop(uow, automation, content)
    uow.add(automation)
    uow.add(_version(uow, automation, content))
    carried.look_at_the_calendar(uow, automation.trigger)
    hint(uow, automation)
    uow.audit("automation.created", "automation", automation.id, after={"name": automation.name, **content})
    return automation


def change_automation(uow: Uow, automation_id: UUID, body: Mapping[str, Any], *, if_match: int | None) -> Automation:
    """The name, whether it is on, and what it says: a new version. Errors: `automation_not_found`, `automation_archived`,
    those of `create_automation`, `version_conflict`."""
    automation = uow.get(Automation, automation_id, lock=True, version=if_match)
    before = content_of(uow, automation)
    parts = {name: body[name] for name in ("trigger", "conditions", "actions") if name in body}
    content = rules.normal(before | parts)
    shown = {"name": automation.name, "enabled": automation.enabled, "archived": automation.archived, **before}
    automation.name = body.get("name", automation.name).strip()
    automation.archived = body.get("archived", automation.archived)
    automation.enabled = body.get("enabled", automation.enabled and not automation.archived)
    if automation.archived and automation.enabled:
        raise Conflict("automation_archived", "This automation is archived. Take it back into use first.")
    if content != before:
        automation.current_number += 1
        automation.trigger = content["trigger"]["on"]
        uow.session.add(_version(uow, automation, content))
    if automation.enabled:
        checking.check(uow, content, "")
        _refuse_loop(uow, automation, content)
        carried.look_at_the_calendar(uow, automation.trigger)
    elif content != before:
        checking.check(uow, content, "")
    uow.session.flush()
    after = {"name": automation.name, "enabled": automation.enabled, "archived": automation.archived, **content}
    hint(uow, automation)
    uow.audit("automation.changed", "automation", automation_id, before=shown, after=after)
    return automation


def _version(uow: Uow, automation: Automation, content: dict[str, Any]) -> AutomationVersion:
    return AutomationVersion(
        id=new_id(),
        automation_id=automation.id,
        number=automation.current_number,
        content=content,
        made_at=uow.now,
        made_by=uow.principal.name or uow.principal.actor,
    )


def content_of(uow: Uow, automation: Automation) -> dict[str, Any]:
    """What its current version says."""
    found = select(AutomationVersion.content).where(
        AutomationVersion.firm_id == uow.firm_id,
        AutomationVersion.automation_id == automation.id,
        AutomationVersion.number == automation.current_number,
    )
    content: dict[str, Any] = uow.session.scalars(found).one()
    return content


def _refuse_loop(uow: Uow, automation: Automation, content: Mapping[str, Any]) -> None:
    """Errors: `automation_triggers_itself`, `automation_loop` with its path."""
    # One at a time: two that are saved at once must not make a loop that neither sees.
    uow.session.execute(
        text("SELECT pg_advisory_xact_lock(hashtextextended('automations ' || :firm, 0))"), {"firm": str(uow.firm_id)}
    )
    same = (AutomationVersion.automation_id == Automation.id) & (AutomationVersion.number == Automation.current_number)
    found = (
        select(Automation.id, Automation.name, AutomationVersion.content)
        .join(AutomationVersion, same & (AutomationVersion.firm_id == Automation.firm_id))
        .where(Automation.firm_id == uow.firm_id, Automation.enabled, Automation.id != automation.id)
    )
    others = uow.session.execute(found).all()
    contents = {str(row.id): row.content for row in others} | {str(automation.id): content}
    services = checking.services(uow)
    loop = rules.find_loop(str(automation.id), contents, lambda template_id: services.get(template_id, ""))
    if loop is None:
        return
    names = {str(row.id): row.name for row in others} | {str(automation.id): automation.name}
    path = [names[ref] for ref in loop.path]
    if len(path) == 2:
        raise Invalid(
            "automation_triggers_itself",
            f"What “{path[0]}” does would set it off again. Narrow what it waits for.",
            pointer=f"/actions/{loop.action}",
        )
    raise Invalid(
        "automation_loop",
        f"These would set each other off for ever: {' → '.join(path)}.",
        pointer=f"/actions/{loop.action}",
        path=path,
    )


# --- trying ----------------------------------------------------------------------------------------------------------

MOST_TRIED = 200


def dry_run(uow: Uow, body: Mapping[str, Any]) -> dict[str, Any]:
    """What an automation would have done on what has happened, the latest first; changes nothing.
    Errors: those of `checking.check`, `automation_not_found`, `span_invalid`, `span_too_long`, `content_missing`."""
    content = _tried(uow, body)
    first, last = _span(uow, body)
    kind = content["trigger"]["on"]
    visible = (ClientCopy.firm_id == Happening.firm_id) & (ClientCopy.id == Happening.client_id)
    found = (
        select(Happening)
        .join(ClientCopy, visible)
        .where(
            Happening.firm_id == uow.firm_id,
            Happening.kind == kind,
            Happening.at >= day_begins(uow, first),
            Happening.at < day_begins(uow, last + timedelta(days=1)),
        )
        .order_by(Happening.at.desc(), Happening.id.desc())
        .limit(MOST_TRIED + 1)
    )
    happened = list(uow.session.scalars(found))
    scenes = acting.scenes(uow, happened[:MOST_TRIED], content)
    return {
        "from": first,
        "to": last,
        "looked_at": len(scenes),
        "more": len(happened) > MOST_TRIED,
        "would_run": sum(rules.why_not(content, kind, scene.facts) is None for scene in scenes),
        "items": [_trial(content, scene) for scene in scenes],
    }


def _tried(uow: Uow, body: Mapping[str, Any]) -> dict[str, Any]:
    if "automation_id" in body:
        return content_of(uow, uow.get(Automation, body["automation_id"]))
    if "trigger" not in body or "actions" not in body:
        raise Invalid("content_missing", "Name an automation, or say its trigger and actions.", pointer="/trigger")
    content = rules.normal(body)
    checking.check(uow, content, "")
    return content


def _span(uow: Uow, body: Mapping[str, Any]) -> tuple[date, date]:
    last = date_of(body, "to") or today_of(uow)
    first = date_of(body, "from") or last - timedelta(days=30)
    if last < first:
        raise Invalid("span_invalid", "The span ends before it begins.", pointer="/to")
    if (last - first).days >= rules.LONGEST_LOOK:
        raise Invalid(
            "span_too_long",
            f"A dry run looks at {rules.LONGEST_LOOK} days at most. Choose a shorter span.",
            pointer="/from",
        )
    return first, last


def _trial(content: Mapping[str, Any], scene: acting.Scene) -> dict[str, Any]:
    happening = scene.happening
    reason = rules.why_not(content, happening.kind, scene.facts)
    with dates_checked():
        acts = [] if reason else [{"do": a["do"], "says": acting.intended(scene, a)} for a in content["actions"]]
    return {
        "at": happening.at,
        "job": {"id": scene.job.id, "title": scene.job.title},
        "client": {"id": scene.client.id, "name": scene.client.name},
        "step": happening.facts.get("step"),
        "would_run": reason is None,
        "why_not": reason,
        "acts": acts,
    }


# --- running: what the worker does ------------------------------------------------------------------------------------


def run(uow: Uow, happening_id: str, ref: str) -> None:
    """Runs an automation on what has happened, all of its actions or none, and keeps what came of it. The worker's row of
    later work, the effect and the log commit together: once, whichever worker is killed when."""
    happening = uow.get(Happening, happening_id)
    found = _listening(uow, ref, happening)
    if found is None:
        return  # switched off, or changed to something else, since
    automation_id, name, number, content = found
    scene = next(iter(acting.scenes(uow, [happening], content)), None)
    if scene is None:
        return
    outcome, says, acts = _outcome(uow, scene, content, ref, name)
    run = AutomationRun(
        id=new_id(),
        ref=ref,
        automation_id=automation_id,
        name=name,
        number=number,
        happening_id=happening.id,
        kind=happening.kind,
        job_id=happening.job_id,
        client_id=happening.client_id,
        subject_type=happening.subject_type,
        subject_id=happening.subject_id,
        outcome=outcome,
        says=says,
        acts=acts,
        at=uow.now,
    )
    uow.add(run)
    if automation_id and outcome != "not_met":
        hint(uow, uow.get(Automation, automation_id))


def _outcome(
    uow: Uow, scene: acting.Scene, content: Mapping[str, Any], ref: str, name: str
) -> tuple[str, str, list[dict[str, Any]]]:
    if reason := rules.why_not(content, scene.happening.kind, scene.facts):
        return "not_met", reason, []
    if reason := rules.stopped_by(ref, scene.happening.chain):
        return "stopped", reason, []
    acts: list[dict[str, Any]] = []
    uow.principal = replace(uow.principal, name=f"automation “{name}”")
    try:
        with uow.attempt(), happenings.caused_by([*scene.happening.chain, ref]), dates_checked():
            for action in content["actions"]:
                acts.append({"do": action["do"], "says": acting.act(uow, scene, action, name)})
    except Unavailable:
        raise  # tried again later
    except DomainError as error:
        failed = content["actions"][len(acts)]["do"]
        return "failed", f"{failed}: {error.message}", [{"do": failed, "says": error.message, "code": error.code}]
    return "done", " ".join(act["says"] for act in acts), acts


def _listening(uow: Uow, ref: str, happening: Happening) -> tuple[UUID | None, str, int, dict[str, Any]] | None:
    """The automation that a piece of work names, as it is now: its id, name, version and what it says."""
    template_id, _, key = ref.partition("/")
    if not key:
        automation = uow.session.get(Automation, (uow.firm_id, UUID(ref)))
        if automation is None or not automation.enabled or automation.trigger != happening.kind:
            return None
        return automation.id, automation.name, automation.current_number, content_of(uow, automation)
    carried = uow.session.execute(_CARRIED, {"firm": uow.firm_id, "job": happening.job_id, "template": template_id})
    for number, automations in carried:
        for automation in automations or ():
            if automation["key"] == key:
                return None, automation["name"], number, automation
    return None


_CARRIED = text("""
SELECT v.number, v.content -> 'automations' FROM jobs j
JOIN template_versions v ON v.firm_id = j.firm_id AND v.template_id = j.template_id AND v.number = j.template_version
WHERE j.firm_id = :firm AND j.id = :job AND j.template_id = CAST(:template AS uuid)
""")


# --- the calendar ----------------------------------------------------------------------------------------------------


# Every pair of trigger details that somebody waits for, with the templates it is limited to (NULL: all jobs).
_WAITED_FOR = text("""
SELECT v.content -> 'trigger' AS trigger, NULL::uuid AS template_id, NULL::bigint AS number
FROM automations a JOIN automation_versions v ON v.firm_id = a.firm_id AND v.automation_id = a.id AND v.number = a.current_number
WHERE a.firm_id = :firm AND a.enabled AND a.trigger = ANY(:kinds)
UNION
SELECT x -> 'trigger', v.template_id, v.number
FROM template_versions v CROSS JOIN LATERAL jsonb_array_elements(v.content -> 'automations') x
WHERE v.firm_id = :firm AND x -> 'trigger' ->> 'on' = ANY(:kinds)
""")

_CHUNK = 500

_OF_TEMPLATE = "AND (CAST(:template AS uuid) IS NULL OR (j.template_id = :template AND j.template_version = :number))"
_JOB_FACTS = """jsonb_build_object('title', j.title, 'service', j.service, 'template', COALESCE(j.template_id::text, ''),
    'stage', j.stage_id::text, 'status', j.status, 'owner', COALESCE(j.owner_id::text, ''), 'client', j.client_id::text,
    'job_tag', to_jsonb(j.tags))"""
_NEW = "NOT EXISTS (SELECT 1 FROM happenings h WHERE h.firm_id = :firm AND h.subject_id = {id} AND h.kind = :kind AND h.occasion = {occasion})"

_NEAR = {
    "task": f"""
        SELECT j.id AS job_id, j.client_id, 'task' AS subject_type, t.id AS subject_id, {_JOB_FACTS} || jsonb_build_object('step', t.title,
            'task_key', COALESCE(t.key, ''), 'task_role', t.role, 'days', CAST(:days AS int), 'of', 'task') AS facts, t.due_sort || '/' || :days_text AS occasion
        FROM tasks t JOIN jobs j ON j.firm_id = t.firm_id AND j.id = t.job_id
        WHERE t.firm_id = :firm AND t.status IN ('not_started', 'in_progress') AND t.due_sort BETWEEN :today AND :until {_OF_TEMPLATE}
            AND {_NEW.format(id="t.id", occasion="t.due_sort || '/' || :days_text")}
        ORDER BY t.due_sort, t.id LIMIT :chunk""",
    "job": f"""
        SELECT j.id AS job_id, j.client_id, 'job' AS subject_type, j.id AS subject_id,
            {_JOB_FACTS} || jsonb_build_object('days', CAST(:days AS int), 'of', 'job') AS facts, j.due_sort || '/' || :days_text AS occasion
        FROM jobs j
        WHERE j.firm_id = :firm AND j.closed_at IS NULL AND j.cancelled_at IS NULL AND j.due_sort BETWEEN :today AND :until {_OF_TEMPLATE}
            AND {_NEW.format(id="j.id", occasion="j.due_sort || '/' || :days_text")}
        ORDER BY j.due_sort, j.id LIMIT :chunk""",
}
_OVERDUE = f"""
    SELECT j.id AS job_id, j.client_id, 'request' AS subject_type, r.id AS subject_id,
        {_JOB_FACTS} || jsonb_build_object('step', r.title, 'request_key', COALESCE(r.key, '')) AS facts, r.due_sort::text AS occasion
    FROM requests r JOIN jobs j ON j.firm_id = r.firm_id AND j.id = r.job_id
    WHERE r.firm_id = :firm AND r.status = ANY(:with_client) AND r.due_sort >= :since AND r.due_sort < :today {_OF_TEMPLATE}
        AND {_NEW.format(id="r.id", occasion="r.due_sort::text")}
    ORDER BY r.due_sort, r.id LIMIT :chunk"""

_FOUND = """
INSERT INTO happenings (firm_id, id, kind, job_id, client_id, subject_type, subject_id, facts, chain, occasion, at)
SELECT :firm, gen_random_uuid(), :kind, f.job_id, f.client_id, f.subject_type, f.subject_id, f.facts, '{{}}', f.occasion, :at FROM ({found}) f
ON CONFLICT (firm_id, subject_id, kind, occasion) WHERE occasion IS NOT NULL DO NOTHING
RETURNING id, {listeners} AS listeners
"""


def look_at_the_calendar(uow: Uow, day: str = "") -> None:
    """Finds what the calendar has brought for automations that wait for it, each once; goes on tomorrow while there are any."""
    # The plan knows the day by the firm's clock; a clock that runs a little behind does not look at it for ever.
    today = max(today_of(uow), date.fromisoformat(day)) if day else today_of(uow)
    waited_for = uow.session.execute(_WAITED_FOR, {"firm": uow.firm_id, "kinds": list(rules.OF_THE_CALENDAR)}).all()
    full = [_find(uow, row, today) for row in waited_for]
    if any(full):
        uow.later("automation_calendar", uow.firm_id, day=day)
    elif waited_for:
        tomorrow = today + timedelta(days=1)
        uow.later("automation_calendar", uow.firm_id, at=day_begins(uow, tomorrow), day=tomorrow.isoformat())


def _find(uow: Uow, waited_for: Any, today: date) -> bool:
    """Whether there may be more than one statement has found."""
    trigger = waited_for.trigger
    near = trigger["on"] == "due_near"
    values: dict[str, Any] = {
        "firm": uow.firm_id,
        "kind": trigger["on"],
        "today": today,
        "at": uow.now,
        "template": waited_for.template_id,
        "number": waited_for.number,
        "chunk": _CHUNK,
    }
    if near:
        values |= {
            "days": trigger["days"],
            "days_text": str(trigger["days"]),
            "until": today + timedelta(days=trigger["days"]),
        }
    else:
        values |= {"with_client": list(WITH_CLIENT), "since": today - rules.KEPT}
    statement = _FOUND.format(found=_NEAR[trigger["of"]] if near else _OVERDUE, listeners=happenings.LISTENERS)
    found: Sequence[Any] = uow.session.execute(text(statement), values).all()
    happenings.hand_over(uow, found)
    return len(found) == _CHUNK
