"""Writing deliveries, in the transaction of what causes them."""

from engine import audit, deliveries, feel
from engine.audit import Kind
from engine.commands import Act
from engine.db import new_id
from engine.deliveries import Delivery
from engine.exceptions import InvalidRequest
from engine.feel import FeelError
from engine.workflow.formula import HOST_NAMES

LONGEST_NAME = 100  # of a variable


def post(act: Act, kind: str, payload: dict, place_path: str, source: str | None = None, target: str | None = None) -> None:
    """Write a delivery from the case `source` (None: from outside) to the case `target` (None: whoever it concerns).

    `payload` is JSON, sealed; `place_path` says who may see that it waits. Ids grow within a transaction: that is the order.
    """
    fresh = int(new_id(), 16)
    delivery_id = f"{max(fresh, int(act.posted[-1], 16) + 1) if act.posted else fresh:032x}"
    act.posted.append(delivery_id)
    stream = deliveries.stream_of(delivery_id)
    audit.open_stream(act.unit, stream, act.actor.county_id)
    act.unit.write(
        Delivery.row(
            id=delivery_id,
            county_id=act.actor.county_id,
            kind=kind,
            source_id=source,
            target_id=target,
            place_path=place_path,
            sealed=act.system.vault.seal_own(payload, deliveries.place_of(delivery_id)),
            created_at=act.now,
            next_at=act.now,
            attempts=0,
            error=None,
        )
    )
    act.record(stream, Kind.DELIVERY_QUEUED, facts={"delivery": kind, "from": source, "to": target})


def given(variables: dict | None) -> dict:
    """What a program says, as FEEL values. Raises InvalidRequest, also for names that no expression would see: the system's own."""
    for name in variables or ():
        if not isinstance(name, str) or not name.strip() or len(name) > LONGEST_NAME:
            raise InvalidRequest(field="variables", reason=f"变量名应为不超过 {LONGEST_NAME} 个字符的文字")
        if name in HOST_NAMES:
            raise InvalidRequest(field="variables", reason=f"“{name}”是系统用的名字，请换一个变量名")
    try:
        return dict(feel.from_plain(variables or {}))
    except FeelError as error:
        raise InvalidRequest(field="variables", reason=error.message) from error


def packed(variables) -> dict:
    """FEEL values as JSON."""
    return {name: feel.encode(value) for name, value in variables.items()}


def unpacked(stored: dict) -> dict:
    """The FEEL values that `packed` wrote."""
    return {name: feel.decode(value) for name, value in stored.items()}
