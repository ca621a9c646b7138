// The two ways in which an act at the till does not happen: somebody says no, or nobody answers.

// Said by the server or by this tablet; `text` has both languages.
export class Refusal extends Error {
  constructor(code, text, { field = null, detail = {} } = {}) {
    super(text.en);
    this.name = "Refusal";
    Object.assign(this, { code, text, field, detail });
  }
}

// No answer: nobody knows whether the server heard.
export class Offline extends Error {
  constructor(reason = "no answer") {
    super(reason);
    this.name = "Offline";
  }
}

const both = (zh, en) => ({ zh, en });

const WORDS = {
  not_enrolled: both("这台平板还没有登记为收银机", "This tablet is not enrolled as a till"),
  needs_network: both("这一步要连上网络才能做", "This step needs the network"),
  online_needs_network: both(
    "现在连不上网络，不能扫码支付，请收现金",
    "Not connected: no payment by code now. Please take cash",
  ),
  online_not_answered: both(
    "支付请求没有得到回应，这一笔已撤回，没有收款。请收现金，或网络好了再试",
    "The payment was not answered; this sale is taken back and nothing was charged. " +
      "Take cash, or try again when connected",
  ),
  wrong_pin: both("PIN 码不对", "Wrong PIN"),
  pin_too_often: both("试错太多次，请一分钟后再试", "Too many wrong tries; wait a minute"),
  not_known_here: both(
    "您还没有在这台收银机上联网登录过，断网时打不开；请先连上网络",
    "You have not signed in here while connected, so it cannot open offline; connect first",
  ),
  locked: both("请先用 PIN 码打开收银机", "Open the till with your PIN first"),
  no_shift: both("还没有开班，请先开班", "No shift is open; open one first"),
  shift_open: both("已经开班，请先交班", "A shift is open; close it first"),
  nothing_chosen: both("请至少选一份餐", "Choose at least one dish"),
  not_on_menu: both("有的菜不在这一餐的菜单上", "Some dishes are not on the menu of this meal"),
  bad_sum: both("金额不对，请再核对", "The sum is not right; check it again"),
  price_changed: both(
    "价格刚刚有了变化，请看新的价格再收款", "The price has just changed; look at it and tap again",
  ),
  no_such_sale: both("没有找到这一笔", "There is no such sale"),
  already_voided: both("这一笔已经作废", "This sale was voided already"),
  bad_card_number: both(
    "卡号没有读对，请再扫一次或核对数字",
    "The card number was misread; scan it again or check the digits",
  ),
  card_lost: both("这张卡已挂失，不能使用", "This card was reported lost"),
  tail_needs_network: both(
    "断网时不能按证件或手机尾号查找；请扫卡，或输入姓名、拼音首字母、完整号码",
    "Last digits cannot be searched offline; scan the card, or type the name, its initials " +
      "or the whole number",
  ),
};

export function refusal(code, more) {
  return new Refusal(code, WORDS[code], more);
}

// What the server's error shape says, as a Refusal.
export function saidNo(body) {
  const { code, messages, message, field, detail } = body.error;
  return new Refusal(code, messages ?? both(message, message), { field, detail: detail ?? {} });
}
