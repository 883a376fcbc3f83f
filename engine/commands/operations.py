"""What an operator does by hand with a case that cannot go on by itself. Each needs a reason, which stays in the history, sealed."""

from engine import feel
from engine.audit import Kind
from engine.commands import Act, command
from engine.commands.instances import managed
from engine.commands.locking import require_open
from engine.commands.posting import LONGEST_NAME
from engine.commands.running import Run
from engine.exceptions import InvalidRequest, NoSuchToken
from engine.feel import FeelError
from engine.workflow.formula import HOST_NAMES


@command("instance:move", "instance:operate")
def move_on(act: Act, instance_id: str, token: int, reason: str, flow: str | None = None) -> dict:
    """Let a case leave the element where a token waits or is stuck, as if it were done, without its outputs; `flow`: by which way.

    Answers {id, status}. Raises NotFound, InstanceClosed, NoSuchToken, InvalidRequest (the ways, where the diagram leaves a choice).
    """
    why = _reason(reason)
    run = managed(act, instance_id, "instance:operate")
    require_open(run)
    element = run.element_of(token)
    run.record(Kind.OPERATION_MOVED, {"token": token, "element": element, "flow": flow}, {"reason": why})
    run.case.move_on(token, run.environment, flow)
    run.save()
    return _answer(run)


@command("instance:correct", "instance:operate")
def correct(
    act: Act,
    instance_id: str,
    reason: str,
    values: dict | None = None,
    expressions: dict[str, str] | None = None,
    token: int | None = None,
) -> dict:
    """Write variables of a case, or of one token's scope. `values` are JSON; `expressions` are FEEL and see what is there.

    Answers {id, status, names}. Raises NotFound, InstanceClosed, NoSuchToken, InvalidRequest.
    """
    why = _reason(reason)
    run = managed(act, instance_id, "instance:operate")
    require_open(run)
    made = _made(run, values or {}, expressions or {}, token)
    run.record(Kind.OPERATION_CORRECTED, {"names": sorted(made), "token": token}, {"reason": why})
    if token is None:
        run.case.correct(made, run.environment)
    else:
        run.case.correct(made, run.environment, token)
    run.save()
    return _answer(run) | {"names": sorted(made)}


def _made(run: Run, values: dict, expressions: dict[str, str], token: int | None) -> dict:
    if not values and not expressions:
        raise InvalidRequest(field="values", reason="请写明要更正的变量")
    for name in (*values, *expressions):
        if not isinstance(name, str) or not name.strip() or len(name) > LONGEST_NAME or name in HOST_NAMES:
            raise InvalidRequest(field="values", reason="变量名不正确")
    if token is not None and token not in run.case.tokens:
        raise NoSuchToken(token=token)
    seen = run.case.visible(token) if token is not None else run.case.variables()
    sight = seen | dict(run.environment.host)
    try:
        made = dict(feel.from_plain(values))
        for name, text in expressions.items():
            made[name] = feel.compile(text.removeprefix("="), names=sight).evaluate(sight, clock=run.environment.now)
            feel.encode(made[name])
    except FeelError as error:
        raise InvalidRequest(field="values", reason=error.message) from error
    return made


def _reason(reason: str) -> str:
    if not isinstance(reason, str) or not reason.strip():
        raise InvalidRequest(field="reason", reason="请写明原因")
    return reason.strip()


def _answer(run: Run) -> dict:
    return {"id": run.instance.id, "number": run.instance.number, "status": run.instance.status}
