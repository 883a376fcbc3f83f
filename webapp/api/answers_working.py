"""What the API answers about work around the cases: operating, jobs, messages, going out, alerts, sessions (see `webapp.api.answers`)."""

import marshmallow as ma

from webapp.api.answers import STATUSES, Answer, Case, CaseStatus, Incident, list_of, maybe, moment, one_of, page, text


class CaseRef(Answer):
    """Which case something belongs to."""

    id = text()
    number = text()
    definition = text()
    place = text(metadata={"description": "key of a unit"})


class CaseMoved(Answer):
    """A case after something was done to it by hand."""

    id = text()
    number = text()
    status = one_of(STATUSES)


class CaseCorrected(CaseMoved):
    """A case after its variables were written by hand."""

    names = ma.fields.List(ma.fields.Str(), required=True, metadata={"description": "variables that were written"})


class Id(Answer):
    """What was acted on."""

    id = text()


# --- operating ------------------------------------------------------------------------------------------------------


class Trouble(Case):
    """A case that stands on an incident."""

    incident = ma.fields.Nested(Incident, required=True, allow_none=True, metadata={"description": "the latest"})
    incidents = list_of(Incident)
    error = maybe(metadata={"description": "what a program said last"})


class WaitingTimer(Answer):
    """A timer of a case that is not due yet, or is tried again."""

    instance = ma.fields.Nested(CaseRef, required=True)
    timer = ma.fields.Int(required=True, metadata={"description": "id within the case"})
    element = text()
    due_at = moment()
    next_at = moment(allow_none=True)
    attempts = ma.fields.Int(required=True)


class WaitingMessage(Answer):
    """A message or signal that a case waits for."""

    instance = ma.fields.Nested(CaseRef, required=True)
    kind = text()
    name = text()
    element = text()
    since = moment()


class KeptMessage(Answer):
    """A message that nobody waits for yet."""

    id = text()
    name = text()
    since = moment()
    expires_at = moment()


class WaitingMessages(page(WaitingMessage, "WaitingMessagePage")):
    """Waits, and the messages that are kept (told with the first page)."""

    kept = list_of(KeptMessage)


class WaitingJob(Answer):
    """A job that a program is to do, or is doing."""

    instance = ma.fields.Nested(CaseRef, required=True)
    id = text()
    type = text()
    element = text()
    retries = ma.fields.Int(required=True)
    next_at = moment(allow_none=True)
    worker = maybe()
    lease_until = moment(allow_none=True)


class Delivery(Answer):
    """What one case has for another and is not carried out yet."""

    class Meta:
        """`from` is a word of Python."""

        unknown = ma.RAISE
        include = {"from": maybe(metadata={"description": "id of a case"})}

    id = text()
    kind = text()
    to = maybe(metadata={"description": "id of a case"})
    since = moment()
    next_at = moment(allow_none=True)
    attempts = ma.fields.Int(required=True)
    error = maybe()


# --- work for programs ----------------------------------------------------------------------------------------------


class GivenJob(Answer):
    """A job with all that is needed to do it."""

    id = text()
    type = text()
    element = text()
    instance = ma.fields.Nested(CaseRef, required=True)
    headers = ma.fields.Dict(required=True, metadata={"description": "task headers of the diagram"})
    variables = ma.fields.Dict(required=True)
    retries = ma.fields.Int(required=True)
    lease_until = moment()


class GivenJobs(Answer):
    """What was fetched; nobody else gets these before their lease is over."""

    jobs = list_of(GivenJob)


class JobOutcome(Answer):
    """A job that is no longer waited for, or is offered again."""

    id = text()
    instance = ma.fields.Nested(CaseStatus, required=True)


class MessageSent(Answer):
    """What became of a message."""

    id = text(metadata={"description": "`messageId`, or one made for it"})
    caught = ma.fields.Int(required=True, metadata={"description": "cases that waited for it"})
    started = ma.fields.Int(required=True, metadata={"description": "cases it began"})
    kept = ma.fields.Bool(required=True, metadata={"description": "for who waits later"})
    instances = list_of(CaseMoved)


class Broadcast(Answer):
    """Who hears a signal."""

    waiting = ma.fields.Int(required=True)
    starts = ma.fields.Int(required=True)


# --- going out ------------------------------------------------------------------------------------------------------


class Companion(Answer):
    """Somebody who takes part in an outing."""

    id = text()
    name = text()


OUTING_STATUSES = ["planned", "out", "returned", "cancelled"]


class Outing(Answer):
    """An open outing."""

    id = text()
    status = one_of(OUTING_STATUSES)
    destination = text()
    reason = text()
    people = list_of(Companion)
    instance = maybe()
    task = maybe()
    place = text(metadata={"description": "key of a unit"})
    left_at = moment(allow_none=True)
    expected_return = moment()


class Outings(Answer):
    """Open outings."""

    items = list_of(Outing)


class OutingChanged(Answer):
    """An outing after an act."""

    id = text()
    status = one_of(OUTING_STATUSES)
    expected_return = moment()


class Alert(Answer):
    """What a regulation says has to be done now."""

    id = text()
    rule = text()
    notify = text(metadata={"description": "role that has to deal with it"})
    message = text()
    hint = text()
    source = maybe()
    facts = ma.fields.Dict(required=True)
    outing = maybe()
    instance = maybe()
    place = text(metadata={"description": "key of a unit"})
    raised_at = moment()
    due_at = moment(allow_none=True)


class Alerts(Answer):
    """What waits to be dealt with."""

    items = list_of(Alert)


# --- waivers --------------------------------------------------------------------------------------------------------

WAIVER_STATUSES = ["asked", "granted", "expired", "refused", "withdrawn", "revoked"]


class WaiverChanged(Answer):
    """A waiver after an act."""

    id = text()
    status = one_of(WAIVER_STATUSES)
    expires_at = moment(allow_none=True)


class Waiver(Answer):
    """A request for a waiver and what became of it. What was sealed is null once its case was erased."""

    id = text()
    status = one_of(WAIVER_STATUSES)
    rule = text()
    table = text(metadata={"description": "key of the regulation that the rule stands in"})
    message = maybe()
    facts = ma.fields.Dict(required=True, metadata={"description": "that triggered the rule, by their labels"})
    reason = maybe()
    answer = maybe(metadata={"description": "why it was decided so"})
    waivable_by = text(metadata={"description": "role that decides"})
    person = ma.fields.Nested(Companion, required=True, metadata={"description": "who would act"})
    asked_by = ma.fields.Nested(Companion, required=True)
    asked_at = moment()
    decided_by = ma.fields.Nested(Companion, required=True, allow_none=True)
    decided_at = moment(allow_none=True)
    expires_at = moment(allow_none=True)
    instance = ma.fields.Nested(CaseRef, required=True)
    task = maybe(metadata={"description": "the only task it is for; null: whatever they do in the case"})


class WaiverCount(Answer):
    """How many waivers of a rule there are."""

    rule = text()
    asked = ma.fields.Int(required=True)
    granted = ma.fields.Int(required=True, metadata={"description": "and in force"})
    expired = ma.fields.Int(required=True)
    refused = ma.fields.Int(required=True)
    withdrawn = ma.fields.Int(required=True)
    revoked = ma.fields.Int(required=True)


class WaiverCounts(Answer):
    """By rule."""

    items = list_of(WaiverCount)


class Obstacle(Answer):
    """What stands in somebody's way and is no regulation."""

    code = text(metadata={"description": "stable name: excluded, place, workforce, group, nobody, taken, closed, right"})
    message = text()


class WaiverState(Answer):
    """How a waiver stands."""

    id = text()
    status = one_of(WAIVER_STATUSES)
    expires_at = moment(allow_none=True)


class Block(Answer):
    """A rule that stops somebody, by which version of which table."""

    rule = text()
    effect = one_of(["block", "waiver"])
    message = text()
    hint = text(metadata={"description": "what would make it pass"})
    source = maybe()
    waivable_by = maybe(metadata={"description": "role"})
    table = text()
    version = text()
    facts = ma.fields.Dict(required=True, metadata={"description": "that triggered it, by their labels"})
    name = text(metadata={"description": "of the table"})
    deciders = list_of(Companion)
    waiver = ma.fields.Nested(WaiverState, required=True, allow_none=True, metadata={"description": "the latest for just this"})
    askable = ma.fields.Bool(required=True, metadata={"description": "whether one may ask now: the refusal has happened"})


class Explanation(Answer):
    """What keeps somebody from a task."""

    task = text()
    person = ma.fields.Nested(Companion, required=True)
    possible = ma.fields.Bool(required=True)
    held = ma.fields.Bool(required=True, metadata={"description": "it is theirs already"})
    obstacles = list_of(Obstacle)
    regulations = list_of(Block)


# --- sessions -------------------------------------------------------------------------------------------------------


class Session(Answer):
    """Where an account is signed in."""

    id = text()
    kind = text()
    device = maybe()
    created_at = moment()
    used_at = moment()
    expires_at = moment()
    current = ma.fields.Bool(required=True, metadata={"description": "the one of this request"})


class Ended(Answer):
    """How many sessions were ended."""

    ended = ma.fields.Int(required=True)


# --- reruns -----------------------------------------------------------------------------------------------------------

RERUN_STATUSES = ["running", "done", "cancelled", "failed"]


class RerunAsked(Answer):
    """A rerun and how it stands."""

    id = text()
    status = one_of(RERUN_STATUSES)


class RuleCount(Answer):
    """How often a rule spoke. Of a procedure's table, rules are rows, and effects are empty."""

    rule = text()
    effect = text()
    before = ma.fields.Int(required=True)
    after = ma.fields.Int(required=True)


class ChangedDecision(Answer):
    """One decision that comes out otherwise: rule → effect, before and after."""

    at = moment()
    instance = maybe(metadata={"description": "id of the case, if one may see it"})
    points = ma.fields.List(ma.fields.Str(), required=True)
    before = ma.fields.Dict(required=True)
    after = ma.fields.Dict(required=True)


class Rerun(RerunAsked):
    """What a version's table says of past decisions, compared with `against`, the version that was in force."""

    key = text()
    number = ma.fields.Int(required=True)
    decision = text()
    against = ma.fields.Int(required=True, allow_none=True)
    error = maybe()
    since = moment(allow_none=True)
    until = moment()
    requested_at = moment()
    ended_at = moment(allow_none=True)
    seen = ma.fields.Int(required=True, metadata={"description": "events looked at, of `total`"})
    total = ma.fields.Int(required=True)
    decisions = ma.fields.Int(required=True, metadata={"description": "made again"})
    changed = ma.fields.Int(required=True, metadata={"description": "that come out otherwise"})
    erased = ma.fields.Int(required=True, metadata={"description": "that cannot be read any more"})
    failed = ma.fields.Int(required=True, metadata={"description": "of which a table could not answer"})
    unknowable = ma.fields.Int(required=True, metadata={"description": "for which the table asks what nobody kept"})
    rules = list_of(RuleCount)
    cases = ma.fields.List(ma.fields.Str(), required=True, metadata={"description": "ids of cases in which a verdict changes"})
    more_cases = ma.fields.Bool(required=True, metadata={"description": "there are more than are told"})
    decided = list_of(ChangedDecision)
    unknown = ma.fields.Dict(required=True, metadata={"description": "row: what it asks and nobody kept"})
    difference = ma.fields.Dict(required=True, metadata={"description": "the tables cell by cell: settings, counts, columns, rows"})
