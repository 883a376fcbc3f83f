"""What programs do with jobs: fetch them for a while, and say what came of them.

A job's row is locked through its case, as everything of a case is: first the case's stream, then the rows.
"""

from datetime import timedelta

from sqlalchemy import bindparam, literal, select

from engine import feel, jobs
from engine.audit import Kind, Stream
from engine.commands import Act, command
from engine.commands.locking import require_open, take_up
from engine.commands.posting import given
from engine.commands.running import Run
from engine.db import Fetch
from engine.exceptions import EngineError, InvalidRequest, JobNotYours, NoSuchToken, NotFound
from engine.instances import ACTIVE, INCIDENT, Instance, stream_of
from engine.jobs import Job
from engine.organisation import covers
from engine.vault import SubjectKey

LONGEST_ERROR = 2000


def _without_values(answer: dict) -> dict:
    return {"jobs": [job | {"variables": sorted(job["variables"])} for job in answer["jobs"]]}


def _with_values(act: Act, answer: dict) -> dict:
    """The variables as they are now; none of a job that is no longer this program's."""

    def values(job: dict) -> dict:
        instance_id, token = jobs.parts_of(job["id"])
        row = _OF_JOB(act.unit.connection, instance=instance_id, token=token, county=act.actor.county_id)
        if row is None or row[0].leased_by != act.actor.person_id or not covers(act.actor.unit_path, row[1].place_path):
            return {}
        seen = take_up(act, *row[1:]).restore().case.visible(token)
        return feel.to_plain({name: seen[name] for name in job["variables"] if name in seen})

    return {"jobs": [job | {"variables": values(job)} for job in answer["jobs"]]}


@command("job:activate", "job:work", kept=_without_values, again=_with_values)
def activate(act: Act, kind: str, worker: str, lease: int = 300, most: int = 1, fetch: list[str] | None = None) -> dict:
    """Fetch up to `most` jobs of a type for `lease` seconds, as `worker`; `fetch`: only these variables. Nobody else gets them meanwhile.

    Answers {jobs: [{id, type, element, instance: {id, number, definition, place}, headers, variables, retries, lease_until}]}.
    Jobs of a case that somebody is working on at this very moment are left for the next time.
    """
    longest = int(jobs.LONGEST_LEASE.total_seconds())
    _check("lease", lease, 1, longest)
    _check("max", most, 1, jobs.MOST)
    if not isinstance(worker, str) or not 0 < len(worker) <= 100:
        raise InvalidRequest(field="worker", reason="应为不超过 100 个字符的文字")
    found = jobs.offered(act.session, act.actor, kind, act.now, 2 * most)
    free = _lock_free(act, {instance_id for instance_id, _token in found})
    given = []
    for instance_id, token in found:
        if instance_id in free and len(given) < most:
            taken = _still_free(act, instance_id, token)
            line = _lease(*taken, worker, timedelta(seconds=lease), fetch) if taken else None
            given += [line] if line else []
    return {"jobs": given}


@command("job:complete", "job:work")
def complete(act: Act, job_id: str, worker: str, variables: dict | None = None) -> dict:
    """A job is done; `variables` are its results. Answers {id, instance: {id, status}}. Raises NotFound, JobNotYours, InvalidRequest."""
    run, job = _held(act, job_id, worker)
    run.case.complete_job(job.token, given(variables), run.environment)
    run.save()
    return _answer(run, job)


@command("job:fail", "job:work")
def fail(act: Act, job_id: str, worker: str, message: str, retries: int | None = None, pause: int | None = None) -> dict:
    """A job could not be done: it is offered again after a pause (seconds; longer each time unless given), at most `retries` times more.

    With none left it is an incident. `message` is sealed. Answers and raises as `complete`.
    """
    run, job = _held(act, job_id, worker)
    left = job.retries - 1 if retries is None else _check("retries", retries, 0, 100)
    rest = jobs.pause_after(job.attempts + 1) if pause is None else timedelta(seconds=_check("backoff", pause, 0, 30 * 86400))
    told = str(message)[:LONGEST_ERROR]
    run.case.fail_job(job.token, told, left, run.environment)
    if left > 0:
        job.retries, job.attempts, job.next_at = left, job.attempts + 1, act.now + rest
        job.lease_until = job.worker = job.leased_by = None
        job.sealed_error = act.system.vault.seal(run.key, told, jobs.error_place(job.instance_id, job.token))
        act.unit.write(job)
    run.save()
    return _answer(run, job)


@command("job:error", "job:work")
def throw_error(act: Act, job_id: str, worker: str, code: str, variables: dict | None = None) -> dict:
    """A job ended in an outcome that the diagram provides for: the error event with this code catches it; if none does, it is an incident."""
    if not isinstance(code, str) or not 0 < len(code) <= 200:
        raise InvalidRequest(field="code", reason="应为不超过 200 个字符的文字")
    run, job = _held(act, job_id, worker)
    run.case.throw_error(job.token, code, given(variables), run.environment)
    run.save()
    return _answer(run, job)


def _lock_free(act: Act, instance_ids: set[str]) -> set[str]:
    """Lock the cases that nobody holds; which they are."""
    if act.system.database.dialect == "sqlite":
        return instance_ids
    streams = {stream_of(instance_id): instance_id for instance_id in instance_ids}
    query = select(Stream.id).where(Stream.id.in_(streams)).order_by(Stream.id).with_for_update(skip_locked=True)
    return {streams[stream] for stream in act.unit.connection.scalars(query)}


def _still_free(act: Act, instance_id: str, token: int) -> tuple[Run, Job] | None:
    """A job that is still free, with its case, which is locked; None if it is not, or if its case cannot be read."""
    row = _OF_JOB(act.unit.connection, instance=instance_id, token=token, county=act.actor.county_id)
    if row is None or row[1].status not in (ACTIVE, INCIDENT):
        return None
    job = row[0]
    if job.next_at > act.now or (job.lease_until is not None and job.lease_until > act.now):
        return None
    try:
        return take_up(act, *row[1:]).restore(), job
    except EngineError:  # a broken case must not keep the others from being done
        return None


def _lease(run: Run, job: Job, worker: str, lease: timedelta, fetch: list[str] | None) -> dict | None:
    offered = next((each for each in run.case.jobs() if each.token == job.token), None)
    if offered is None:
        return None
    act = run.act
    job.lease_until, job.worker, job.leased_by = act.now + lease, worker, act.actor.person_id
    act.unit.write(job)
    facts = {"element": job.element, "token": job.token, "type": job.type, "worker": worker, "until": job.lease_until.isoformat()}
    run.record(Kind.JOB_ACTIVATED, facts | ({"variables": sorted(fetch)} if fetch is not None else {}))
    seen = run.case.visible(job.token)
    return {
        "id": job.id,
        "type": job.type,
        "element": job.element,
        "instance": {
            "id": run.instance.id,
            "number": run.instance.number,
            "definition": run.instance.definition_key,
            "place": run.instance.place_path.rsplit("/", 1)[-1],
        },
        "headers": dict(offered.headers),
        "variables": feel.to_plain({name: value for name, value in seen.items() if fetch is None or name in fetch}),
        "retries": job.retries,
        "lease_until": job.lease_until.isoformat(),
    }


def _held(act: Act, job_id: str, worker: str) -> tuple[Run, Job]:
    """A job that this program has fetched, with its case, locked. A lease that has run out counts while nobody else has the job."""
    instance_id, token = jobs.parts_of(job_id)
    if act.system.database.dialect != "sqlite":
        act.unit.connection.execute(select(Stream.id).where(Stream.id == stream_of(instance_id)).with_for_update())
    row = _OF_JOB(act.unit.connection, instance=instance_id, token=token, county=act.actor.county_id)
    if row is None or not covers(act.actor.unit_path, row[1].place_path):
        raise NotFound(what="作业", key=job_id)
    job = row[0]
    if job.worker != worker or job.leased_by != act.actor.person_id:
        raise JobNotYours()
    run = take_up(act, *row[1:])
    require_open(run)
    run.restore()
    if not any(each.token == token for each in run.case.jobs()):
        raise NoSuchToken(token=token)
    return run, job


_OF_JOB = Fetch(
    Job,
    Instance,
    SubjectKey,
    Stream,
    where=[
        Job.instance_id == bindparam("instance"),
        Job.token == bindparam("token"),
        Job.county_id == bindparam("county"),
        Instance.id == Job.instance_id,
        SubjectKey.id == Instance.key_id,
        Stream.id == literal("instance/") + Instance.id,
    ],
)


def _answer(run: Run, job: Job) -> dict:
    return {"id": job.id, "instance": {"id": run.instance.id, "status": run.instance.status}}


def _check(field: str, value, least: int, most: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        raise InvalidRequest(field=field, reason=f"应为 {least} 到 {most} 的整数")
    return value
