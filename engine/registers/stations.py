"""Registers about units: posts, policies, premises, what citizens ask and complain of, volunteers' groups, targets."""

from engine.registers.declaring import (
    BOOLEAN,
    CHOICE,
    CHOICES,
    DATE,
    DATETIME,
    NUMBER,
    PERSON,
    TEXT,
    UNIT,
    Field,
    Lapse,
    Register,
    choices,
)

POSTS = Register(
    "posts", "岗位编制", "Posts", UNIT,
    "各站各类人员的编制数；没有登记的按参数计。", "How many posts a station has; what is not entered follows the parameters.",
    (
        Field("workforce", CHOICE, "人员类型", "Workforce", required=True, choices=choices("""
            full_time 专职社工 | full-time social worker
            part_time 兼职社工 | part-time social worker
            assistant 社工助理员 | assistant
            volunteer 志愿者 | volunteer""")),
        Field("number", NUMBER, "人数", "Number", required=True, most=1000),
    ),
    read_by="duties",
)
INSURANCES = Register(
    "insurances", "保险", "Insurance", UNIT,
    "志愿者和活动参与者的保险：没有保险不能派志愿者。", "Cover for volunteers and participants: without it volunteers are not sent.",
    (
        Field("policy", TEXT, "保单", "Policy", required=True),
        Field("covers", CHOICES, "范围", "Covers", required=True, choices=choices("""
            none 未投保 | none
            activity 活动 | activities
            rescue 应急救援 | rescue
            travel 交通 | travel""")),
        Field("insured_from", DATE, "起", "From", required=True),
        Field("insured_until", DATE, "止", "Until", required=True),
    ),
    read_by="safety", since="insured_from", lapses=Lapse("insured_until", same=("covers",)),
)
PREMISES = Register(
    "premises", "场所检查和演练", "Premises", UNIT,
    "场所安全检查每月一次，应急演练每年一次。", "A safety check every month, a drill every year.",
    (
        Field("kind", CHOICE, "类别", "Kind", required=True, choices=choices("check 检查 | check\ndrill 演练 | drill")),
        Field("done_on", DATE, "日期", "Done on", required=True),
        Field("result", CHOICE, "结果", "Result", required=True, choices=choices("ok 正常 | in order\nfaults 有隐患 | faults")),
        Field("faults", TEXT, "隐患", "Faults", longest=1000),
        Field("mended_on", DATE, "整改完成", "Mended on"),
    ),
    read_by="safety", since="done_on",
    lapses=Lapse(
        "done_on", periods=("kind", (("check", "premises_check_months"), ("drill", "premises_drill_months"))), same=("kind",)
    ),
)
HOTLINE = Register(
    "hotline", "热线工单", "Hotline", UNIT,
    "12345 等渠道转来的诉求，按期办结回复。", "What came in by the hotline and other channels, answered in time.",
    (
        Field("external_number", TEXT, "工单号", "Ticket", longest=60),
        Field("channel", CHOICE, "渠道", "Channel", required=True, choices=choices("""
            hotline_12345 12345 热线 | hotline 12345
            app 手机应用 | app
            minyi5 民意五来听 | Minyi 5
            o2o 线上线下 | online to offline
            visit 来访 | visit""")),
        Field("received_at", DATETIME, "收到时间", "Received", required=True),
        Field("subject", TEXT, "诉求", "Subject", required=True, sealed=True, longest=1000),
        Field("due_at", DATETIME, "办结期限", "Due", "空着按参数计算。", "Empty: counted by the parameter.", ends=True),
        Field("extended_days", NUMBER, "延期（天）", "Extended (days)", most=365),
        Field("returned_at", DATETIME, "退回时间", "Returned"),
        Field("answered_at", DATETIME, "答复时间", "Answered"),
        Field("satisfied", BOOLEAN, "满意", "Satisfied"),
    ),
    read_by="indicators", since="received_at", inner=True,
    lapses=Lapse(
        "due_at", longer_by="extended_days", default=("received_at", "hotline_answer_days"), settled_by="answered_at",
        same=None, stays=True, working_day=True,
    ),
)
COMPLAINTS = Register(
    "complaints", "投诉", "Complaints", UNIT,
    "对工作人员或服务的投诉，由被投诉人以外的人处理。", "Complaints, handled by somebody else than whom they are about.",
    (
        Field("about", PERSON, "被投诉人", "About"),
        Field("received_at", DATETIME, "收到时间", "Received", required=True),
        Field("subject", TEXT, "内容", "Subject", required=True, sealed=True, longest=1000),
        Field("handler", PERSON, "处理人", "Handler"),
        Field("due_at", DATETIME, "答复期限", "Due", "空着按参数计算。", "Empty: counted by the parameter.", ends=True),
        Field("answered_at", DATETIME, "答复时间", "Answered"),
    ),
    read_by="discipline", since="received_at", inner=True,
    lapses=Lapse(
        "due_at", default=("received_at", "complaint_answer_days"), settled_by="answered_at", same=None, stays=True, working_day=True
    ),
)
ORGANISATIONS = Register(
    "organisations", "社区社会组织", "Organisations", UNIT,
    "备案的志愿服务队和社区社会组织。", "Volunteers' groups and community organisations on file.",
    (
        Field("name", TEXT, "名称", "Name", required=True),
        Field("type", TEXT, "类型", "Type", longest=60),
        Field("filed_on", DATE, "备案日期", "Filed on"),
        Field("volunteers", NUMBER, "志愿者人数", "Volunteers"),
        Field("leader", TEXT, "负责人", "Leader", sealed=True, longest=60),
    ),
    read_by="indicators", since="filed_on",
)
INDICATORS = Register(
    "indicators", "考核指标", "Indicators", UNIT,
    "各站的目标和完成数。", "Targets of the stations, and what was reached.",
    (
        Field("indicator", TEXT, "指标", "Indicator", required=True),
        Field("period", TEXT, "期间", "Period", "例如 2026-11、2026Q4、2026。", "Such as 2026-11, 2026Q4, 2026.", required=True, longest=10),
        Field("target", NUMBER, "目标", "Target", most=10_000_000),
        Field("value", NUMBER, "完成", "Value", most=10_000_000),
        Field("note", TEXT, "备注", "Note", longest=500),
    ),
    read_by="indicators",
)
