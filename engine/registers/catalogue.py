"""All registers, in the order people read them. What a register says is declared in personnel, stations and served."""

from engine.exceptions import NotFound
from engine.registers import personnel, served, stations
from engine.registers.declaring import Register

REGISTERS: dict[str, Register] = {
    register.key: register
    for register in (
        personnel.PROFILES,
        personnel.CERTIFICATES,
        personnel.TRAININGS,
        personnel.BADGES,
        personnel.RECORD_CHECKS,
        personnel.SHIFTS,
        personnel.ABSENCES,
        personnel.INTERESTS,
        personnel.GIFTS,
        stations.POSTS,
        stations.INSURANCES,
        stations.PREMISES,
        stations.HOTLINE,
        stations.COMPLAINTS,
        stations.ORGANISATIONS,
        stations.INDICATORS,
        served.VISITS,
        served.COHORTS,
    )
}
# The regulations that ask them, in the order of the pages: key → Chinese, English.
REGULATIONS = {
    "duties": ("工作职责", "Duties"),
    "indicators": ("服务指标", "Service indicators"),
    "discipline": ("服务纪律", "Service discipline"),
    "image": ("形象要求", "Appearance"),
    "ethics": ("道德准则", "Ethics"),
    "training": ("业务培训", "Training"),
    "safety": ("安全管理", "Safety"),
}


def register_of(key: str) -> Register:
    """A register by its key. Raises NotFound."""
    if key not in REGISTERS:
        raise NotFound(what="登记", key=key)
    return REGISTERS[key]
