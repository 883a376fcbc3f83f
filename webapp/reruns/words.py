"""What the states of rows, the settings of tables and the places of decisions are called."""

from flask_babel import lazy_gettext as _l

# state → (name, class of its badge)
ROWS = {
    "same": (_l("不变"), "plain"),
    "changed": (_l("修改"), "active"),
    "added": (_l("新增"), "completed"),
    "removed": (_l("删除"), "incident"),
    "moved": (_l("移动"), "offered"),
}
SETTINGS = {"hit_policy": _l("命中策略"), "aggregation": _l("汇总方式"), "name": _l("名称")}
ERRORS = {
    "deploy_refused": _l("这一版的表格读不出来。请重新部署。"),
    "": _l("请重试；如果仍然失败，请联系管理员。"),
}
_KINDS = {"outing": _l("外出"), "access": _l("没有放行的操作"), "instance": _l("个案")}


def kind_of(stream: str) -> str:
    """What a decision was about, where it is no case the reader may see."""
    return str(_KINDS.get(stream.partition("/")[0], stream.partition("/")[0]))
