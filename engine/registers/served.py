"""Registers about the people served. What says how they are is sealed, as all that is known of them."""

from engine.registers.declaring import CHOICE, CLIENT, DATE, INSTANCE, PERSON, TEXT, Field, Lapse, Register, choices

VISITS = Register(
    "visits", "探访", "Visits", CLIENT,
    "谁在哪天看望了服务对象；办结走访任务时自动登记。", "Who saw the client when; written when a task of visiting is completed.",
    (
        Field("day", DATE, "日期", "Day", required=True),
        Field("by", PERSON, "探访人", "By"),
        Field("kind", CHOICE, "方式", "Kind", required=True, choices=choices("""
            home 上门 | at home
            phone 电话 | by telephone
            activity 活动 | at an activity""")),
        Field("case", INSTANCE, "个案", "Case"),
        Field("task", TEXT, "任务", "Task", longest=32),
    ),
    read_by="indicators", since="day", inner=True,
)
COHORTS = Register(
    "cohorts", "重点人群", "Cohorts", CLIENT,
    "需要定期探访的重点人群；风险越高，探访越勤。", "People to be visited regularly, the more often the higher the risk.",
    (
        Field("cohort", CHOICE, "人群", "Cohort", required=True, sealed=True, judged=True, choices=choices("""
            special_elder 特殊困难老年人 | elder in special hardship
            dementia 失智老人 | elder with dementia
            left_behind 留守儿童 | child left behind
            orphan 孤困儿童 | orphan or child in hardship
            veteran 退役军人 | veteran
            disabled 残疾人 | person with a disability""")),
        Field("risk", CHOICE, "风险", "Risk", required=True, sealed=True, judged=True, choices=choices("""
            low 低 | low
            medium 中 | medium
            high 高 | high
            urgent 紧急 | urgent""")),
        Field("worker", PERSON, "负责人", "Worker"),
        Field("from", DATE, "纳入日期", "Since", required=True),
    ),
    read_by="indicators", since="from", inner=True,
    lapses=Lapse(
        "from",
        periods=("risk", tuple((risk, f"cohort_visit_{risk}_days") for risk in ("low", "medium", "high", "urgent"))),
        at_most=("cohort", tuple((cohort, "elder_visit_days") for cohort in ("special_elder", "dementia"))),  # 民发〔2022〕73号: every month
        renewed_by="visits", same=("cohort",), stays=True,
    ),
)
