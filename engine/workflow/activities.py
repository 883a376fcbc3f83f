"""What each kind of element does while a token is in it, and the ways it leaves by.

All of it raises `Trouble`, before it has changed anything.
"""

from decimal import Decimal
from typing import TYPE_CHECKING

from engine import feel
from engine.exceptions import EngineError
from engine.workflow import events
from engine.workflow.evaluation import check_storable, encoded, evaluate, offer_of
from engine.workflow.formula import JobCall
from engine.workflow.model import Element, Flow, Kind
from engine.workflow.state import JobState, Stage, Token
from engine.workflow.steps import Outgoing
from engine.workflow.trouble import BpmnError, Trouble
from engine.workflow.variables import visible

if TYPE_CHECKING:
    from engine.workflow.game import Run

RETRIES = 3  # of a job that does not say, as in Camunda 8
MOST_RETRIES = 100


def pass_through(run: "Run", token: Token, element: Element) -> None:
    """Plain events, gateways, manual and undefined tasks: nothing to do on the way."""
    run.advance_later(token, Stage.LEAVING)


def open_task(run: "Run", token: Token, element: Element) -> None:
    """A user task waits for a person."""
    offer = offer_of(run, token, element)
    token.offer, token.stage, token.since = offer, Stage.WAITING, run.env.now
    facts = {"groups": list(offer.candidate_groups), "priority": offer.priority}
    facts |= {name: at.isoformat() for name, at in (("due", offer.due), ("follow_up", offer.follow_up)) if at}
    people = [name for name in (offer.assignee, *offer.candidate_users) if name]
    run.step("wait:opened", element, token, **facts, _people=people)


def run_script(run: "Run", token: Token, element: Element) -> None:
    """A script is one expression; its value goes into one variable."""
    value, inputs = evaluate(run, token, element.script)
    check_storable(value)
    run.step("script:evaluated", element, token, variable=element.result_variable, _inputs=encoded(inputs), _result=feel.encode(value))
    run.store(token, {element.result_variable: value})
    run.advance_later(token, Stage.LEAVING)


def apply_rule(run: "Run", token: Token, element: Element) -> None:
    """A business rule task asks a decision table of its procedure's version."""
    decision, _ = evaluate(run, token, element.decision_id)
    if not isinstance(decision, str) or not decision:
        raise Trouble("decision_unknown", "算出的决策表编号不是文字")
    if run.env.decide is None:
        raise Trouble("decision_unknown", f"没有可用的决策表“{decision}”")
    try:
        outcome = run.env.decide(decision, visible(run.tokens, token) | dict(run.env.host))
    except LookupError:
        raise Trouble("decision_unknown", f"没有决策表“{decision}”") from None
    except EngineError as error:
        raise Trouble("decision_failed", f"决策表“{decision}”没有得出结果：{error.message}") from error
    check_storable(outcome.result)
    run.step(
        "decision:evaluated",
        element,
        token,
        decision=decision,
        rules=list(outcome.matched),
        _inputs=[feel.encode(value) for value in outcome.inputs],
        _result=feel.encode(outcome.result),
    )
    run.store(token, {element.result_variable: outcome.result})
    run.advance_later(token, Stage.LEAVING)


def do_job(run: "Run", token: Token, element: Element) -> None:
    """Work for a program: the host does it on the spot if it knows the type, else it waits for whoever fetches it."""
    kind, retries = _job_type(run, token, element), _retries(run, token, element)
    headers = dict(element.job.headers)
    handler = run.env.handlers.get(kind)
    run.step("job:created", element, token, type=kind, retries=retries)
    if handler is None:
        token.job, token.stage, token.since = JobState(kind, retries, headers), Stage.WAITING, run.env.now
        return
    try:
        made = dict(handler(JobCall(kind, headers, visible(run.tokens, token), run.env.now)))
    except BpmnError as thrown:
        events.throw_error(run, token, element, thrown.code, thrown.variables)
        return
    except EngineError as error:
        raise Trouble("job_failed", f"作业“{kind}”没有完成：{error.message}") from error
    for value in made.values():
        check_storable(value)
    run.step("job:completed", element, token, type=kind)
    run.store(token, made)
    run.advance_later(token, Stage.LEAVING)


def _job_type(run: "Run", token: Token, element: Element) -> str:
    value, _ = evaluate(run, token, element.job.type)
    if not isinstance(value, str) or not 0 < len(value) <= events.LONGEST_NAME:
        raise Trouble("job_invalid", "作业的类型应是文字")
    return value


def _retries(run: "Run", token: Token, element: Element) -> int:
    if element.job.retries is None:
        return RETRIES
    value, _ = evaluate(run, token, element.job.retries)
    number = Decimal(value) if isinstance(value, str) and value.isascii() and value.isdecimal() and len(value) < 10 else value
    if not isinstance(number, Decimal) or not 1 <= number <= MOST_RETRIES or number != int(number):
        raise Trouble("job_invalid", f"作业的重试次数应是 1 到 {MOST_RETRIES} 的整数")
    return int(number)


def call(run: "Run", token: Token, element: Element) -> None:
    """Another procedure: the host starts a case of it and tells when it has ended."""
    process, _ = evaluate(run, token, element.call.process_id)
    if not isinstance(process, str) or not 0 < len(process) <= events.LONGEST_NAME:
        raise Trouble("call_invalid", "要调用的流程编号应是文字")
    given = visible(run.tokens, token) if element.call.gives_all else token.variables.as_dict()
    token.call, token.stage, token.since = process, Stage.WAITING, run.env.now
    run.step("call:started", element, token, process=process)
    run.case.ask(Outgoing("call", token.id, process, variables=given))


def wait_for_event(run: "Run", token: Token, element: Element) -> None:
    """A catching event or a receive task; of a timer cycle it takes the first occurrence."""
    planned = events.plans(run, token, [element])
    events.begin_waiting(run, token, planned)
    token.stage = Stage.WAITING


def wait_for_first(run: "Run", token: Token, element: Element) -> None:
    """An event-based gateway waits for everything it leads to."""
    planned = events.plans(run, token, [run.process.elements[flow.target] for flow in element.outgoing])
    events.begin_waiting(run, token, planned)
    token.stage = Stage.WAITING


def go_inside(run: "Run", token: Token, element: Element) -> None:
    """A subprocess: its scope ends when nothing is left inside. What started an event subprocess is told to its start event."""
    planned = events.plans(run, token, events.watchers(run, token))
    events.begin_waiting(run, token, planned)
    token.stage = Stage.INSIDE
    first = run.enter(token, run.process.elements[element.start])
    first.given, token.given = token.given, None


WORK = {
    Kind.USER_TASK: open_task,
    Kind.SCRIPT_TASK: run_script,
    Kind.BUSINESS_RULE_TASK: apply_rule,
    Kind.SERVICE_TASK: do_job,
    Kind.RECEIVE_TASK: wait_for_event,
    Kind.CATCH: wait_for_event,
    Kind.EVENT_BASED: wait_for_first,
    Kind.SUBPROCESS: go_inside,
    Kind.EVENT_SUBPROCESS: go_inside,
    Kind.CALL_ACTIVITY: call,
    Kind.SEND_TASK: events.throw,
    Kind.THROW: events.throw,
    Kind.END: events.throw,
}


def work(element: Element):
    """What a token does in an element. What a program sends is a job like any other."""
    return do_job if element.job else WORK.get(element.kind, pass_through)


# --- ways on ----------------------------------------------------------------------------------------------------------------


def ways(run: "Run", token: Token, element: Element) -> tuple[Flow, ...]:
    """The flows a token leaves by.

    Exclusive gateway: the first true condition in the order of the file; inclusive: every true one. Elsewhere every flow without a
    condition, and every one whose condition is true. The default flow if no condition is true.
    """
    conditional = [flow for flow in element.outgoing if flow.condition]
    if not conditional and (element.default is None or not element.kind.decides):
        return element.outgoing
    free = [] if element.kind.decides else [flow for flow in element.outgoing if not flow.condition and not flow.is_default]
    taken, evaluations = [], []
    for flow in conditional:
        value, inputs = evaluate(run, token, flow.condition)
        if not isinstance(value, bool):
            raise Trouble("condition_not_boolean", f"连线“{flow.name or flow.id}”的条件没有得出“是”或“否”")
        evaluations.append({"flow": flow.id, "result": value, "inputs": encoded(inputs)})
        if value:
            taken.append(flow)
            if element.kind is Kind.EXCLUSIVE:
                break
    by_default = not taken and element.default is not None
    if by_default:
        taken = [element.default]
    if not taken and not free:
        raise Trouble("no_way_out", "没有一个条件成立，也没有默认连线")
    chosen = [flow for flow in element.outgoing if flow in free or flow in taken]
    run.step("gateway:decided", element, token, flows=[flow.id for flow in chosen], default=by_default, _conditions=evaluations)
    return tuple(chosen)
