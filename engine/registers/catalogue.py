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
    "qualification": ("持证与培训", "Qualification and training"),
    "minors": ("未成年人保护", "Protection of minors"),
    "duties": ("岗位职责与值守", "Duties and presence"),
    "conduct": ("职业操守", "Professional conduct"),
    "staffing": ("人员配备", "Staffing"),
    "safety": ("安全管理", "Safety"),
    "volunteers": ("志愿服务", "Volunteers"),
    "hotline": ("热线与诉求", "Hotline and requests"),
    "evaluation": ("考核评价", "Evaluation"),
    "service_process": ("服务流程", "Service process"),
    "cohorts": ("重点人群", "Cohorts"),
}


def register_of(key: str) -> Register:
    """A register by its key. Raises NotFound."""
    if key not in REGISTERS:
        raise NotFound(what="登记", key=key)
    return REGISTERS[key]
