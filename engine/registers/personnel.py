"""Registers about the people who work here: what they can, when they are there, and what they have to declare."""

from engine.registers.declaring import (
    BOOLEAN,
    CHOICE,
    CHOICES,
    DATE,
    NUMBER,
    PERSON,
    TEXT,
    TIME,
    Field,
    Lapse,
    Register,
    choices,
)

PROFILES = Register(
    "profiles", "人员档案", "Profiles", PERSON,
    "性别和专长：决定谁适合接哪类个案。", "Gender and skills: who is fit for which case.",
    (
        Field("gender", CHOICE, "性别", "Gender", required=True, choices=choices("male 男 | male\nfemale 女 | female")),
        Field("skills", CHOICES, "专长", "Skills", choices=choices("""
            minors 未成年人 | minors
            elderly 老年人 | the elderly
            mediation 调解 | mediation
            psychology 心理 | psychology
            care 照护 | care
            law 法律 | law
            organising 社区组织 | organising
            rescue 应急救援 | rescue""")),
        Field("joined_on", DATE, "入职日期", "Joined on"),
    ),
    read_by="safety", since="joined_on",
)
CERTIFICATES = Register(
    "certificates", "职业资格证书", "Certificates", PERSON,
    "社会工作者等职业资格证书及其登记有效期。", "Professional certificates and until when they are registered.",
    (
        Field("kind", CHOICE, "证书", "Certificate", required=True, choices=choices("""
            assistant_social_worker 助理社会工作师 | assistant social worker
            social_worker 社会工作师 | social worker
            senior_social_worker 高级社会工作师 | senior social worker
            care_worker 养老护理员 | care worker
            psychologist 心理咨询师 | psychologist
            other 其他 | other""")),
        Field("number", TEXT, "证书编号", "Number", sealed=True, longest=60),
        Field("issued_on", DATE, "发证日期", "Issued on", required=True),
        Field("registered_until", DATE, "登记有效期至", "Registered until", "空着表示长期有效。", "Empty: for good."),
    ),
    read_by="training", since="issued_on", lapses=Lapse("registered_until", same=("kind",)),
)
TRAININGS = Register(
    "trainings", "培训记录", "Trainings", PERSON,
    "岗前培训、继续教育、督导和安全培训的学时。", "Hours of induction, continuing education, supervision and safety training.",
    (
        Field("topic", CHOICE, "主题", "Topic", required=True, choices=choices("""
            induction 岗前培训 | induction
            minors 未成年人保护 | protection of minors
            elderly 老年人服务 | services for the elderly
            mediation 调解 | mediation
            mental_health 精神卫生 | mental health
            emergency 应急 | emergencies
            volunteer 志愿服务 | volunteering
            continuing 继续教育 | continuing education
            privacy 个人信息保护 | privacy
            supervision 接受督导 | supervision received
            safety 安全 | safety""")),
        Field("title", TEXT, "培训名称", "Title"),
        Field("held_on", DATE, "日期", "Held on", required=True),
        Field("hours", NUMBER, "学时", "Hours", required=True, most=1000),
    ),
    read_by="training", since="held_on",
    lapses=Lapse("held_on", periods=("topic", (("privacy", "privacy_training_months"),)), same=("topic",)),
)
BADGES = Register(
    "badges", "工作证", "Badges", PERSON,
    "上门服务要佩戴的工作证。", "The badge that is worn on visits.",
    (
        Field("number", TEXT, "证号", "Number", required=True, longest=40),
        Field("issued_on", DATE, "发证日期", "Issued on", required=True),
        Field("valid_until", DATE, "有效期至", "Valid until", required=True),
    ),
    read_by="image", since="issued_on", lapses=Lapse("valid_until"),
)
RECORD_CHECKS = Register(
    "record_checks", "从业查询", "Record checks", PERSON,
    "密切接触未成年人岗位的违法犯罪记录查询，每年一次。", "Yearly check of records for work with minors.",
    (
        Field("checked_on", DATE, "查询日期", "Checked on", required=True),
        Field("result", CHOICE, "结果", "Result", required=True, sealed=True, judged=True, choices=choices("clear 无记录 | clear\nrecord 有记录 | record")),
        Field("authority", TEXT, "查询机关", "Authority"),
    ),
    read_by="safety", since="checked_on", lapses=Lapse("checked_on", period="record_check_months"),
)
SHIFTS = Register(
    "shifts", "值班", "Shifts", PERSON,
    "谁在哪天什么时候值班。", "Who is on duty when.",
    (
        Field("day", DATE, "日期", "Day", required=True),
        Field("from", TIME, "从", "From", required=True),
        Field("to", TIME, "到", "To", required=True),
    ),
    read_by="duties", since="day", until="day", inner=True, own=True,
)
ABSENCES = Register(
    "absences", "请假外出", "Absences", PERSON,
    "请假期间不再派新任务，由代办人接手。", "Nobody is given new tasks while away; a substitute takes over.",
    (
        Field("from", DATE, "从", "From", required=True),
        Field("to", DATE, "到", "To", required=True),
        Field("kind", CHOICE, "类别", "Kind", required=True, sealed=True, judged=True, choices=choices("""
            leave 休假 | leave
            sick 病假 | sick leave
            training 培训 | training
            away 外派 | away on duty""")),
        Field("reason", TEXT, "事由", "Reason", sealed=True),
        Field("substitute", PERSON, "代办人", "Substitute"),
    ),
    read_by="discipline", since="from", until="to", inner=True, own=True,
)
INTERESTS = Register(
    "interests", "利益关系申报", "Interests", PERSON,
    "与服务对象的亲属、经济或其他关系，每年申报。", "Kinship, business or other ties with people served; declared every year.",
    (
        Field("kind", CHOICE, "关系", "Tie", required=True, choices=choices("""
            kinship 亲属 | kinship
            economic 经济往来 | business
            other_role 其他职务 | another role
            other 其他 | other""")),
        Field("party", TEXT, "与谁", "With whom", required=True, sealed=True),
        Field(
            "party_id", TEXT, "对方是服务对象时的编号", "Their id, if a client",
            "服务对象页面地址的末段。", "The last part of the address of their page.", longest=32,
        ),
        Field("declared_on", DATE, "申报日期", "Declared on", required=True),
        Field("description", TEXT, "说明", "Description", sealed=True, longest=1000),
        Field("approved", BOOLEAN, "已核准", "Approved", "由登记人填写。", "Filled in by who keeps the register.", kept=True),
    ),
    read_by="ethics", since="declared_on",
    lapses=Lapse("declared_on", period="interest_declaration_months", same=("kind", "party", "party_id")), inner=True, own=True,
)
GIFTS = Register(
    "gifts", "礼金礼品", "Gifts", PERSON,
    "收到而当时无法退回的礼金礼品。", "Gifts that could not be declined on the spot.",
    (
        Field("reported_on", DATE, "报告日期", "Reported on", required=True),
        Field("what", TEXT, "何物", "What", required=True, sealed=True),
        Field("from_whom", TEXT, "何人所送", "From whom", required=True, sealed=True),
        Field("handled", CHOICE, "处理", "Handled", kept=True, choices=choices("returned 已退回 | returned\nhanded_in 已上交 | handed in")),
    ),
    read_by="discipline", since="reported_on", inner=True, own=True,
)
