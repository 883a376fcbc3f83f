"""What the check points and effects of regulations are called."""

from flask_babel import lazy_gettext as _l

POINTS = {
    "start": _l("立案"),
    "assign": _l("接办"),
    "complete": _l("提交"),
    "open": _l("查阅、登记"),
    "clock": _l("到时"),
    "month": _l("月末"),
    "quarter": _l("季末"),
    "year": _l("年末"),
}
# effect → (name, class of its badge)
EFFECTS = {
    "block": (_l("不允许"), "incident"),
    "waiver": (_l("须豁免"), "offered"),
    "warn": (_l("提示"), "active"),
    "task": (_l("派人处理"), "completed"),
}
