// The made-up canteen of the training mode: nobody here exists, and no number is anybody's.
import { POLICY } from "./practice_policy.js";

const DISHES = [
  // id, name, English, kind, fen, portions, marks, at which meals
  [1, "练习套餐(一荤两素)", "Practice set", "set", 1500, 40, ["soft"], ["lunch", "dinner"]],
  [2, "低盐套餐", "Low-salt set", "set", 1400, 20, ["low_salt", "soft"], ["lunch", "dinner"]],
  [3, "小份套餐", "Small set", "set", 1200, 15, ["small", "soft"], ["lunch", "dinner"]],
  [4, "宫保鸡丁", "Kung pao chicken", "dish", 900, 12, ["peanut"], ["lunch", "dinner"]],
  [5, "清蒸鱼", "Steamed fish", "dish", 900, 8, ["soft", "seafood"], ["lunch"]],
  [6, "炒时蔬", "Greens", "dish", 500, 30, ["vegetarian"], ["lunch", "dinner"]],
  [7, "鸡蛋羹", "Egg custard", "dish", 300, 3, ["soft", "egg"], ["lunch", "dinner", "breakfast"]],
  [8, "米饭", "Rice", "dish", 100, 200, [], ["lunch", "dinner"]],
  [9, "早餐套餐", "Breakfast set", "set", 1300, 40, ["soft"], ["breakfast"]],
  [10, "小米粥", "Millet porridge", "dish", 200, 60, ["soft", "low_sugar"], ["breakfast"]],
  [11, "油条", "Fried dough", "dish", 200, 60, ["gluten"], ["breakfast"]],
];
// What each is there to be practised on stands at the end.
const PEOPLE = [
  ["练习甲", "lxj", 83, {}, {}, "", [], [1, 8]], // everything as usual
  ["练习乙", "lxy", 91, {}, { week: 5, month: 15 }, "", [], [1, 8]], // the week is used up
  ["练习丙", "lxb", 86, {}, { day: 1, week: 3, month: 9 }, "", [], [2]], // had today's already
  ["练习丁", "lxd", 80, {}, { week: 4, month: 12 }, "花生过敏", ["peanut"], [4, 8]], // a warning
  ["练习戊", "lxw", 72, { categories: ["visiting_care"] }, {}, "", [], [3]], // on the list
  ["练习己", "lxj", 68, {}, {}, "", [], [1]], // too young for the subsidy, not for the discount
  ["练习庚", "lxg", 88, { in_institution: true }, {}, "", [], [1]], // lives in an institution
  ["练习辛", "lxx", 84, {}, {}, "糖尿病，少糖", [], [10], ["low_sugar"]],
];
export const LOST_CARD = "89900000009";

export function practicePack(on) {
  const menus = ["breakfast", "lunch", "dinner"].map((meal, at) => ({
    menu_id: at + 1, on, meal,
    items: DISHES.filter((dish) => dish[7].includes(meal)).map(([id, name, name_en, kind, price_fen, portions, marks]) => (
      { item_id: (at + 1) * 100 + id, dish_id: id, name, name_en, kind, price_fen, left: portions, portions, marks }
    )),
  }));
  const elders = PEOPLE.map((one, at) => elder(one, at + 1, on));
  const everybody = elders.map(({ id }) => id);
  return {
    v: 1, made_at: new Date().toISOString(), on,
    canteen: {
      id: 0, name: "练习食堂", name_en: "Practice canteen", district: "120104", street: "120104001",
      tier: 1, grade: null, capabilities: ["dine_in", "pick_up"], address: "没有这个地方", phone: "",
    },
    till: { id: 0, name: "练习机", head: 0, head_mac: "", shift: null },
    cashiers: [{ id: 1, name: "练习收银员", role: "cashier" }],
    hours: [["breakfast", "06:30", "09:00"], ["lunch", "10:30", "13:30"], ["dinner", "16:30", "19:00"]]
      .map(([meal, opens, closes]) => ({ meal, opens, closes })),
    menus, set_fen: 1300, discounts: [{ min_age: 60, bp: 500 }, { min_age: 80, bp: 1000 }],
    policy: { id: 0, code: `${POLICY.name}-${POLICY.version}`, body: POLICY }, working: {},
    rule: { per_elder: 1, per_till: 60, excess: "canteen", limit_fen: 0 }, slips: null,
    usual: { breakfast: [everybody.at(-1), everybody[0]], lunch: everybody, dinner: everybody.slice(0, 4) },
    elders,
  };
}

// The number on a made-up card: 89900000001 for the first. Practice asks nobody whose a card is.
export function cardOf(id) {
  return `8990000000${id}`;
}

function elder([name, initials, age, facts, used, diet, avoid, usual, wants = []], id, on) {
  const birth = Number(on.slice(0, 4)) - age;
  const day = on.slice(4) === "-02-29" ? "-02-28" : on.slice(4);
  return {
    id, name, age, initials: [initials],
    facts: { birth_date: `${birth}${day}`, household: "120104", ...facts },
    used: { day: 0, week: 0, month: 0, meals: {}, ...used }, diet, avoid, wants,
    cards: [cardOf(id)], lost: [], ric: "", phone: "", last4: `000${id}`, near: true, fresh: true,
    usual: { breakfast: [9], lunch: usual, dinner: usual },
  };
}
