"""Invented disputes: who quarrels about what, and what is written of it, by the form field's key."""


def _person(role: str, name: str, number: int) -> dict:
    return {"role": role, "name": name, "minor": "no", "phone": f"000-0000-{number:04d}", "address": f"本村 {number % 90 + 1} 号"}


def _dispute(number: int, petitioner: str, respondent: str, **texts) -> dict:
    """The wishes for every form of one case."""
    parties = [_person("petitioner", petitioner, number), _person("respondent", respondent, number + 7)]
    return _COMMON | {"parties": parties} | texts


_COMMON = {
    "type": "claim",
    "form": "visit",
    "statutoryGround": "信访工作条例第十五条",
    "organ": "镇人民政府",
    "referredTo": "县纪委监委",
    "acceptanceNo": "受字 2026-12",
    "disposalNo": "处字 2026-12",
    "extensionReason": "需要重新测绘并征求四邻意见",
    "extensionApprovedBy": "赵镇长",
    "appealOrgan": "县人民政府",
    "mediators": "本镇人民调解员",
    "mediationPlace": "镇社会治理中心调解室",
    "bothConsent": True,
    "policeUnit": "镇派出所",
    "policeMeasures": "劝离双方，安排两名社工陪同家属，派出所到场告诫。",
    "opinion": "目标要写清什么时候、谁来做。",
    "evaluationSummary": "协议已履行，双方见面能打招呼，未再上访。",
    "governanceText": "联合司法所宣讲政策，村里修订了相关村规民约，网格员每周走访。",
    "companionNote": "陪老人聊家常，帮着收拾院子，转达双方都愿意缓和的意思。",
    "planNote": "社工主责，调解员主持调解，志愿者邻里陪伴，司法所提供法律意见。",
    "transcript": "双方各自陈述，调解员逐条核对证据，讲清法律规定，双方同意各让一步。",
    "endReason": "一方表示不再继续",
}

DISPUTES = (
    _dispute(
        11, "张广才", "李传喜",
        claim="邻居翻建房屋占用双方共用的胡同，要求恢复原状。",
        findings="胡同原宽约两米，翻建后余一米二，老人出入不便；两家积怨三年，互不说话。",
        demands="恢复胡同宽度，或者给予补偿。",
        disputeFocus="胡同的权属和宽度",
        assessmentSummary="事实清楚，双方都不愿打官司，适合调解。",
        goal="就胡同宽度达成一致", indicator="书面调解协议", target="一份",
        agreementText="李传喜退让四十厘米，张广才补贴拆墙费用五百元，月底前完成。",
    ),
    _dispute(
        23, "王秀英", "王学文",
        claim="与兄弟分担母亲赡养费有争议，多次到镇里反映。",
        findings="母亲八十二岁，轮流照料中断两个月，母亲自述不愿拖累孩子。",
        demands="三个子女按月分担，母亲单独居住。",
        disputeFocus="赡养费的数额和照料的轮换",
        assessmentSummary="亲情尚在，主要是没有说开；老人的意愿应放在前面。",
        goal="落实赡养安排", indicator="每月按时支付", target="连续三个月",
        agreementText="兄弟二人每月各付三百元，王秀英负责日常照料，节假日轮换。",
    ),
    _dispute(
        35, "刘兆坤", "某农业合作社",
        claim="流转土地的租金拖欠一年，要求支付。",
        findings="合作社去年受灾减产，账上资金紧张，承认欠租，愿意分期。",
        demands="一个月内付清，或者收回土地。",
        disputeFocus="租金的支付时间",
        assessmentSummary="债务清楚，双方对分期有谈的余地。",
        goal="付清租金", indicator="到账金额", target="全部",
        agreementText="合作社分三期付清，逾期一期则刘兆坤可以收回土地。",
    ),
    _dispute(
        47, "陈桂兰", "陈保国",
        claim="两家排水沟相通，雨天倒灌，多次争吵。",
        findings="沟内淤积严重，地势东高西低，改一段暗管即可解决。",
        demands="改造排水，费用对方承担。",
        disputeFocus="改造费用由谁承担",
        assessmentSummary="工程量不大，村里可以出工，双方分担材料费。",
        goal="排水畅通", indicator="雨天不倒灌", target="一个汛期",
        agreementText="村里出工，两家各付材料费二百元，十日内完工。",
    ),
)
