"""What the fields of forms are called, for a complaint that would not say which one it means."""

from __future__ import annotations

from canteen.words import Text

# Only names that mean the same on every page; a field that is not here is named by its link alone.
FIELD_NAMES = {
    "address": Text("地址", "Address"),
    "area_m2": Text("面积", "Area"),
    "code": Text("原因类别", "Kind of reason"),
    "carrier": Text("运营载体", "Carrier"),
    "closed_because": Text("停业原因", "Reason of closing"),
    "closed_on": Text("停业日期", "Closed day"),
    "discount": Text("食堂自有优惠", "Canteen's own discount"),
    "district": Text("区", "District"),
    "document": Text("文件名与文号", "Document"),
    "first": Text("开始日期", "First day"),
    "from_on": Text("自哪天起", "From which day"),
    "in_force_from": Text("施行日期", "In force from"),
    "last": Text("结束日期", "Last day"),
    "months": Text("期数", "Instalments"),
    "name": Text("名称", "Name"),
    "number": Text("编号", "Number"),
    "operator_id": Text("企业", "Enterprise"),
    "paid_on": Text("拨付日期", "Day of payment"),
    "per_elder": Text("每位老人最多", "Most to one elder"),
    "per_till": Text("每台机器最多", "Most by one till"),
    "percent": Text("百分比", "Percent"),
    "phone": Text("电话", "Phone"),
    "purse": Text("资金", "Purse"),
    "reason": Text("理由", "Reason"),
    "receipt": Text("小票号", "Receipt number"),
    "reference": Text("流水号", "Reference"),
    "sample_least": Text("每单至少几餐", "Meals a statement, at least"),
    "seats": Text("座位", "Seats"),
    "street_code": Text("街道", "Street"),
    "supplier_id": Text("供餐单位", "Supplied by"),
    "tier": Text("等级", "Tier"),
    "used_this_week": Text("本周已用补贴", "Used this week"),
    "used_today": Text("今天已用补贴", "Used today"),
    "valid_from": Text("开始日期", "First day"),
    "valid_to": Text("结束日期", "Last day"),
    "year": Text("年份", "Year"),
}


def complaint(name: str, wrong: Text, called: Text | None = None) -> Text:
    """What is wrong with a field, led by what the field is called."""
    called = called or FIELD_NAMES.get(name)
    if called is None:
        return wrong
    return Text(f"{called.zh}：{wrong.zh}", f"{called.en}: {wrong.en[:1].lower()}{wrong.en[1:]}")
