"""What is written of whom: texts that fit an old person, a child, a veteran … by the form field's key."""

from datetime import date

from engine.clients import Record

STORIES = {
    "child": {
        "situation": [
            "孩子由祖父母照料，父母在南方打工，半年未回；成绩下滑，不愿与人说话。",
            "父亲病故，母亲改嫁，孩子随祖母生活，家中只有低保收入，缺少学习用品。",
        ],
        "needs": [["guardianship", "education"], ["education", "mental"]],
        "assessmentSummary": ["监护照料不足导致学业与情绪问题，需改善照护安排并与学校配合。"],
        "goal": ["改善监护和学业", "恢复与同伴的交往"],
        "content": [
            "入户谈心，辅导语文和数学作业，并与班主任通电话了解在校情况。",
            "带孩子参加站内“成长营地”小组，孩子主动与两名同伴交流。",
            "爱心姐姐上门陪伴阅读，与祖母商量作息安排。",
            "与在外的父母视频通话，约定每周固定时间联系孩子。",
        ],
        "evaluationSummary": ["孩子按时到校，情绪开朗，祖母能按约定照料，目标达成。"],
    },
    "dementia": {
        "situation": ["老人近半年记忆力明显减退，两次外出后找不到家，由邻居送回；老伴年迈，照看吃力。"],
        "needs": [["care", "medical"]],
        "assessmentSummary": ["走失风险高，照料者负担重，需防走失措施、就医检查和喘息支持。"],
        "goal": ["预防走失", "减轻家属照料负担"],
        "content": [
            "发放防走失信息卡和定位手环，教家属使用，并在村内建立邻里看护名单。",
            "陪同到县医院记忆门诊检查，取药并说明服用方法。",
            "志愿者上门陪护半天，家属外出办事；与老人做简单的记忆游戏。",
        ],
        "evaluationSummary": ["三个月内无走失，家属掌握照护要点，邻里看护运转正常。"],
    },
    "veteran": {
        "situation": ["老人曾参军参战，独居，身体尚可，常感孤单，愿意讲述参战经历，奖章和证件无人整理。"],
        "needs": [["mental", "care"]],
        "assessmentSummary": ["生活能自理，主要为精神慰藉需求，本人愿意整理参战资料。"],
        "goal": ["有人陪伴", "整理参战资料"],
        "content": [
            "陪老人聊参军经历，录音整理口述材料两段。",
            "翻拍奖章、证件和老照片，编入参战资料册。",
            "联系照相馆上门为老人一家拍全家福。",
        ],
        "evaluationSummary": ["资料册完成并交老人和家属留存，志愿者每周探望，老人满意。"],
    },
    "petition": {
        "situation": ["因宅基地边界与邻居长期不和，多次上访，希望有人居中调解。"],
        "needs": [["dispute", "mental"]],
        "assessmentSummary": ["纠纷积怨较深，双方都有调解意愿，生活尚可，情绪易激动。"],
        "goal": ["化解邻里纠纷", "缓和情绪"],
        "content": [
            "深度家访，听取当事人陈述，查看宅基地证和现场。",
            "会同信访干部和调解员与双方分别谈话，明确争议点。",
            "在调解室面对面调解，双方就边界初步达成一致。",
        ],
        "evaluationSummary": ["双方签订调解协议并履行，未再上访，邻里关系缓和。"],
    },
    "elder": {
        "situation": [
            "老人独居，子女在外务工，近一个月腿脚不便，买菜做饭困难。",
            "分散供养特困老人，听力下降，房屋潮湿，缺少过冬被褥，村里反映照料人时有不到。",
        ],
        "needs": [["care", "economic"], ["care", "medical"]],
        "assessmentSummary": ["生活照料与精神慰藉需求突出，家庭支持弱，村内可用资源较多。"],
        "goal": ["改善日常照料", "落实救助政策"],
        "content": [
            "入户探访，协助整理房间、晾晒被褥，了解近况，情绪较上次好转。",
            "陪同到镇卫生院复查血压，取药并说明服用方法。",
            "组织志愿者上门理发、打扫，开展“知心话疗”。",
            "与照料人、村委会核对照料协议，约定每日上门时间。",
        ],
        "evaluationSummary": ["照料安排落实，生活状况改善，老人和家属满意。"],
    },
    "adult": {
        "situation": ["肢体残疾，无固定收入，因病新增外债，情绪低落，少与人来往。"],
        "needs": [["economic", "mental"]],
        "assessmentSummary": ["经济困难为主要问题，伴有情绪低落，需链接救助政策和就业资源并持续陪伴。"],
        "goal": ["落实救助政策", "稳定情绪，恢复社交"],
        "content": [
            "协助准备临时救助材料，陪同到镇救助站递交申请。",
            "链接爱心企业居家手工活，试做第一批并核算收入。",
            "入户谈心，鼓励参加村里的互助小组。",
        ],
        "evaluationSummary": ["救助金到账，已有稳定手工收入，情绪平稳，愿意与邻里来往。"],
    },
}


def story_of(record: Record, today: date) -> dict[str, list]:
    """The texts that fit a person: several to choose from for each key."""
    for category in ("dementia", "veteran", "petition"):
        if category in record.categories:
            return STORIES[category]
    age = record.age(today)
    return STORIES["adult" if age is None or 18 <= age < 60 else "child" if age < 18 else "elder"]
