"""What the acts in the trail are called, and the particulars of them that people can read."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from typing import Any

from canteen.canteens.models import CAPABILITIES, CARRIERS, MEALS, REASONS, STATUSES
from canteen.checks.catalogue import BY_CODE
from canteen.checks.describing import THRESHOLDS
from canteen.checks.models import MODES
from canteen.elders.models import CARE_LEVELS, CATEGORIES
from canteen.elders.models import STATUSES as ELDER_STATUSES
from canteen.money import yuan
from canteen.orders.cancelling import REASONS as CANCELLED_FOR
from canteen.payouts import failures
from canteen.settlements.models import STAGES
from canteen.territory.actors import ROLES
from canteen.words import Text, day, month

ACTS = {
    "apply": Text("申请挂牌", "Applied for the sign"),
    "amend": Text("更改食堂资料", "Changed the canteen's particulars"),
    "add_paper": Text("登记证照", "Entered a paper"),
    "change_status": Text("变更挂牌状态", "Changed the sign"),
    "confirm_tier": Text("核定等级", "Confirmed the tier"),
    "set_meal_period": Text("设定供餐时间", "Set the hours of a meal"),
    "stop_serving": Text("停止供应一餐", "Stopped serving a meal"),
    "announce_closure": Text("公告停业", "Announced a closed day"),
    "withdraw_closure": Text("取消停业公告", "Withdrew a closed day"),
    "set_elder_discount": Text("设定敬老优惠", "Set the discount for elders"),
    "inspect": Text("提交评估", "Entered an inspection"),
    "accept": Text("采纳建议", "Accepted a proposal"),
    "dismiss": Text("驳回建议", "Dismissed a proposal"),
    "confirmed": Text("确认结算单", "Confirmed the statement"),
    "approved": Text("核准结算单", "Approved the statement"),
    "returned": Text("退回结算单", "Returned the statement"),
    "undone": Text("撤回办理", "Took the approval back"),
    "consented": Text("逾期视为同意", "Counted as agreed by silence"),
    "escalated": Text("逾期转下一环节", "Passed on by silence"),
    "judge_sample": Text("核对抽查餐次", "Looked at the sample"),
    "extrapolate": Text("按抽查推算扣减", "Deducted what the sample says"),
    "ask_corrections": Text("退回更正", "Sent lines back"),
    "correct": Text("更正一餐", "Put a line right"),
    "close_corrections": Text("核阅更正", "Took note of corrections"),
    "withdraw_correction": Text("不再要求更正", "No longer asked for a line"),
    "appeal": Text("提出申诉", "Filed an appeal"),
    "upheld": Text("申诉成立", "Upheld the appeal"),
    "rejected": Text("申诉不成立", "Rejected the appeal"),
    "moot": Text("核减撤销，申诉了结", "Closed the appeal, the denial being lifted"),
    "set_review_rule": Text("设定审核规则", "Set the review rule"),
    "paid": Text("已付款", "Paid"),
    "failed": Text("付款失败", "The payout failed"),
    "withdraw_subsidy": Text("撤回补贴", "Gave the subsidy up"),
    "retry": Text("重新办理付款", "Let the payout go on"),
    "make_batch": Text("编制付款批次", "Made the batch"),
    "release_batch": Text("复核放行批次", "Released the batch"),
    "cancel_batch": Text("取消付款批次", "Cancelled the batch"),
    "take_bank_return": Text("导入银行回盘", "Took in a file of the bank"),
    "ask_account": Text("提出账户变更", "Asked for another account"),
    "confirm_account": Text("确认账户变更", "Confirmed the account"),
    "refuse_account": Text("不同意账户变更", "Refused the account"),
    "withdraw_account": Text("撤回账户变更", "Withdrew the change of account"),
    "explain_mismatch": Text("说明对账不一致", "Explained a mismatch"),
    "told_by_hand": Text("电话或信函告知", "Told by phone or letter"),
    "enrol": Text("登记老人", "Put on the register"),
    "change": Text("更正资料", "Corrected the register"),
    "record_fact": Text("记入情况", "Recorded a fact"),
    "end_fact": Text("终止情况", "Ended a fact"),
    "withdraw_fact": Text("撤回情况", "Withdrew a fact"),
    "issue_card": Text("发卡", "Issued a card"),
    "report_card_lost": Text("挂失卡", "Reported a card lost"),
    "replace_card": Text("换卡", "Replaced a card"),
    "allow_family": Text("准许家属代订", "Let a relative order"),
    "end_family": Text("停止家属代订", "Ended a relative's ordering"),
    "export": Text("导出", "Took a copy out"),
    "cancel_order": Text("取消订单", "Cancelled an order"),
    "refund_dishes": Text("退部分菜品", "Took dishes back"),
    "publish_menu": Text("发布菜单", "Published a menu"),
    "add_to_menu": Text("菜单加菜", "Added to a menu"),
    "change_portions": Text("更改份数", "Changed the portions"),
    "sold_out": Text("标记售完", "Marked as sold out"),
    "back_on": Text("恢复供应", "On offer again"),
    "copy_menus": Text("沿用上周菜单", "Took over last week's menus"),
    "sign_in": Text("登录", "Signed in"),
    "fail_sign_in": Text("登录失败", "Failed to sign in"),
    "close_sign_in": Text("多次登录失败，暂停登录", "Closed after too many failures"),
    "look": Text("查看", "Looked"), "search": Text("查找老人", "Searched the register"),
    "start_draft": Text("起草政策", "Started a draft"),
    "change_draft": Text("修改草案", "Changed the draft"),
    "propose_draft": Text("提交草案", "Handed the draft in"),
    "take_back_draft": Text("取回草案", "Took the draft back"),
    "withdraw_draft": Text("撤回草案", "Withdrew the draft"),
    "publish_draft": Text("发布草案", "Published the draft"),
    "late_fact": Text("按补记的情况重新核算", "Priced meals again by a late fact"),
    "claim": Text("提交补领申请", "Filed a claim"),
    "approve_claim": Text("批准补领", "Approved the claim"),
    "refuse_claim": Text("未批准补领", "Refused the claim"),
    "spread": Text("分期扣回", "Spread what is taken back"),
    "note_repayment": Text("登记退款", "Noted money paid back"),
    "repaid": Text("复核退款到账", "Confirmed money paid back"),
    "drop_repayment": Text("撤回退款登记", "Took back a note of money paid back"),
    "set_fund": Text("登记预算", "Noted a budget"),
    "set_target": Text("登记绩效目标", "Noted a target"),
    "prepare_true_up": Text("编制清算", "Drafted the true-up"),
    "confirm_true_up": Text("复核清算", "Confirmed the true-up"),
    "pay_true_up": Text("登记拨付", "Noted the true-up as paid"),
    "set_standard_set_price": Text("设定标准套餐价", "Set the standard set's price"),
    "check_meals": Text("检查餐次", "Checked the meals"),
    "pay": Text("疑点核准支付", "Paid what was in doubt"),
    "deny": Text("疑点不予支付", "Denied what was in doubt"),
    "ask": Text("请食堂说明，或开始后台任务", "Asked the canteen, or began long work"),
    "note": Text("主动说明疑点", "Explained a finding unasked"),
    "answer": Text("说明疑点", "Answered a finding"),
    "reopen": Text("重新审议疑点", "Took a finding up again"),
    "set_check": Text("设定检查", "Set a check"), "cancel": Text("取消后台任务", "Cancelled"),
    "close": Text("月结", "Closed the month"), "publish": Text("发布政策", "Published policies"),
    "judge": Text("按规则评定食堂", "Judged the canteens by the rules"),
    "change_price": Text("更改菜价", "Changed a price"),
    "make_till_code": Text("生成收银机注册码", "Made a code for a till"),
    "enrol_till": Text("注册收银机", "Enrolled a till"),
    "withdraw_till": Text("停用收银机", "Withdrew a till"),
    "reinstate_till": Text("恢复收银机", "Let a till in again"),
    "alarm": Text("收银机报警", "A till's alarm"),
    "quiet_till_alarm": Text("处理收银机报警", "Dealt with a till's alarm"),
    "set_offline_rule": Text("设定断网规则", "Set the rule for tills offline"),
    "open_shift": Text("开班", "Opened a shift"), "close_shift": Text("交班", "Closed a shift"),
    "explain_shift": Text("说明长短款", "Explained a shift's difference"),
    "set_pin": Text("设定收银密码", "Set a PIN"),
    "set_password": Text("设定密码", "Set a password"),
    "add_user": Text("添加用户", "Added a user"),
    "disable_user": Text("停用用户", "Disabled a user"),
    "make_token": Text("生成接口密钥", "Made a token"),
    "revoke_token": Text("撤销接口密钥", "Revoked a token"),
    "register_operator": Text("登记运营企业", "Registered an operator"),
    "import_elders": Text("导入老人", "Imported elders"),
    "export_elders": Text("导出老人", "Exported elders"),
    "take_in": Text("更新区划", "Took in the territories"),
}
# An act of one name that is another thing by what it is done to.
BY_SUBJECT = {
    ("ask", "suspicion"): Text("请食堂说明", "Asked the canteen to explain"),
    ("ask", "task"): Text("开始后台任务", "Began long work"),
}
PAPER_CODE = re.compile(r"[0-9A-F]{4}(-[0-9A-F]{4}){2}")
# What a detail is called. What is not here stays out of the page: it is for programs.
NAMES = {
    "reason": Text("原因", "reason"), "reason_code": Text("类别", "kind"),
    "stage": Text("环节", "stage"), "total_fen": Text("金额", "sum"),
    "amount_fen": Text("金额", "sum"), "price_fen": Text("价格", "price"),
    "from": Text("原", "from"), "to": Text("现", "to"), "from_on": Text("自", "from"),
    "on": Text("日期", "day"), "version": Text("版本", "version"), "meal": Text("餐次", "meal"),
    "value": Text("内容", "what"), "until": Text("止于", "until"), "card": Text("卡尾号", "card"),
    "instead_of": Text("原卡尾号", "instead of card"), "failure": Text("原因", "why"),
    "valid_from": Text("自", "from"), "valid_to": Text("至", "to"),
    "fields": Text("项目", "fields"), "format": Text("格式", "as"), "rows": Text("行数", "rows"),
    "discount_bp": Text("优惠(万分之)", "rate (bp)"), "min_age": Text("起始年龄", "from age"),
    "portions": Text("份数", "portions"), "count": Text("数量", "how many"),
    "name": Text("名称", "name"), "opens": Text("开始", "opens"), "closes": Text("结束", "closes"),
    "order_until": Text("预订截止", "orders until"), "relation": Text("关系", "relation"),
    "proposes": Text("建议", "proposes"), "street": Text("街道", "street"),
    "territory": Text("辖区", "area"), "district": Text("区", "district"),
    "period": Text("月份", "month"), "year": Text("年度", "year"), "days": Text("天数", "days"),
    "elders": Text("老人数", "elders"), "elder": Text("老人编号", "elder no."),
    "order": Text("餐单号", "meal no."), "notice": Text("告知编号", "notice no."),
    "check_code": Text("校验码", "check code"), "right": Text("无误餐数", "found right"),
    "code": Text("项目", "item"), "codes": Text("项目", "items"), "mode": Text("处理", "set to"),
    "thresholds": Text("标准", "thresholds"), "what": Text("要求", "asked"),
    "lines": Text("更正条目", "lines"), "line": Text("更正条目", "line"),
    "meals": Text("餐次", "meals"), "was": Text("原环节", "was at"),
    "login": Text("登录名", "login"), "role": Text("身份", "role"),
    "account": Text("账户尾号", "account ends"), "reference": Text("凭据号", "reference"),
    "payee": Text("收款方", "for"), "tier": Text("等级", "tier"),
    "statements": Text("结算单", "statements"), "first": Text("从", "from"),
    "last": Text("到", "to"),
}
# Which of them name a place by its code.
PLACED = ("territory", "district", "street", "street_code")
WORDS: dict[str, Text] = {
    **CANCELLED_FOR, **REASONS, **STAGES, **CATEGORIES, **CARE_LEVELS, **ELDER_STATUSES, **MEALS,
    **STATUSES, **CAPABILITIES, **CARRIERS,
    **MODES, "right": Text("无误", "right"), "wrong": Text("有误", "wrong"),
    "canteen": Text("食堂", "canteen"), "elder": Text("老人", "elder"),
    "True": Text("是", "yes"), "False": Text("否", "no"), "None": Text("无", "none"),
}
# What may be changed of a canteen or an elder. Of the latter the trail keeps no values.
FIELDS = {
    "tier": Text("等级", "tier"), "demonstration": Text("示范型", "demonstration"),
    "name": Text("名称", "name"), "name_en": Text("英文名称", "English name"),
    "carrier": Text("载体", "carrier"), "capabilities": Text("能力", "capabilities"),
    "supplier_id": Text("供餐单位", "supplier"), "address": Text("地址", "address"),
    "phone": Text("电话", "phone"), "seats": Text("座位", "seats"),
    "area_m2": Text("面积", "area"), "open_weekdays": Text("营业日", "open days"),
    "latitude": Text("纬度", "latitude"), "longitude": Text("经度", "longitude"),
    "household": Text("户籍", "household"), "street_code": Text("所属街道", "street"),
    "ric_hash": Text("身份证号", "ID number"), "birth_date": Text("出生日期", "birth date"),
    "diet_notes": Text("饮食要求", "diet"),
}


def done(act: str, subject: str) -> Text:
    """What an act is called, by what it was done to where that makes another thing of it."""
    return BY_SUBJECT.get((act, subject)) or ACTS.get(act) or Text(act, act)


def particulars(detail: dict[str, Any], places: Mapping[str, Text] | None = None) -> Text:
    """The particulars a reader can use, in a phrase; areas by name where `places` knows them."""
    named = places or {}
    said = [
        (_label(name, value), named.get(value) or shown(name, value) if name in PLACED
         else shown(name, value))
        for name, value in detail.items() if name in NAMES and value not in (None, "", [], {})
    ]  # fmt: skip
    before, after = detail.get("before") or {}, detail.get("after") or {}
    for name in after:
        if name in FIELDS and before.get(name) != after[name]:
            was, now = shown(name, before.get(name)), shown(name, after[name])
            said.append((FIELDS[name], Text(f"{was.zh} → {now.zh}", f"{was.en} → {now.en}")))
    return Text(
        "；".join(f"{name.zh} {value.zh}" for name, value in said),
        "; ".join(f"{name.en} {value.en}" for name, value in said),
    )


def _label(name: str, value: Any) -> Text:
    """What a particular is called; copies taken out named their check code "code" once."""
    old = name == "code" and isinstance(value, str) and PAPER_CODE.fullmatch(value)
    return NAMES["check_code"] if old else NAMES[name]


def shown(name: str, value: Any) -> Text:
    """One particular in words: money in yuan, days and codes as people say them."""
    if name.endswith("_fen") and isinstance(value, int):
        return Text(f"{yuan(value)} 元", f"{yuan(value)} yuan")
    if isinstance(value, list):
        parts = (
            [FIELDS[one] for one in value if one in FIELDS]
            if name == "fields" else [shown(name, one) for one in value]
        )  # fmt: skip
        return Text("、".join(p.zh for p in parts), ", ".join(p.en for p in parts))
    if isinstance(value, dict):
        each = Text("{key} {said}", "{key} {said}")
        if name == "meals":
            each = Text("第 {key} 号{said}", "no. {key} {said}")
        parts = [each.format(key=THRESHOLDS.get(key, key), said=shown("", one))
                 for key, one in value.items()]  # fmt: skip
        return Text("、".join(p.zh for p in parts), ", ".join(p.en for p in parts))
    text = str(value)
    if name == "failure":
        return failures.why(text)
    if name == "role" and text in ROLES:
        return ROLES[text]
    if name in ("code", "codes") and text in BY_CODE:
        return BY_CODE[text].title
    if name in ("period", "first", "last") and len(text) == 7:
        return month(text)
    if len(text) == 10 and text[4:5] == "-" and text[7:8] == "-":
        try:
            return day(date.fromisoformat(text), year=True)
        except ValueError:
            pass
    return WORDS.get(text, Text(text, text))
