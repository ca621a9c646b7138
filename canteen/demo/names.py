"""Made-up names of people, streets, operators and dishes, in both languages where shown in both."""

from __future__ import annotations

DISTRICTS = {
    "120101": ("和平区", "Heping"), "120102": ("河东区", "Hedong"), "120103": ("河西区", "Hexi"),
    "120104": ("南开区", "Nankai"), "120105": ("河北区", "Hebei"),
    "120106": ("红桥区", "Hongqiao"),
    "120110": ("东丽区", "Dongli"), "120111": ("西青区", "Xiqing"), "120112": ("津南区", "Jinnan"),
    "120113": ("北辰区", "Beichen"), "120114": ("武清区", "Wuqing"), "120115": ("宝坻区", "Baodi"),
    "120116": ("滨海新区", "Binhai"), "120117": ("宁河区", "Ninghe"),
    "120118": ("静海区", "Jinghai"),
    "120119": ("蓟州区", "Jizhou"),
}
# Streets are made up: nobody's real street office is shown doing anything.
STREETS = (
    ("春和街道", "Chunhe Street"), ("柳荫街道", "Liuyin Street"), ("福泽街道", "Fuze Street"),
    ("安澜街道", "Anlan Street"),
)
SURNAMES = "赵钱孙李周吴郑王冯陈褚卫蒋沈韩杨朱秦许何吕施张孔曹严华金魏陶姜戚谢邹喻"
GIVEN = (
    "和平", "建国", "淑珍", "秀兰", "桂英", "玉华", "德明", "文海", "宝山", "凤霞",
    "长林", "志远", "惠芬", "金鹏", "永福", "素琴", "佩兰", "荣华", "继先", "春生",
    "瑞芝", "国栋", "雅琴", "守义", "静安", "学文", "丽华", "庆余", "慧敏", "连城",
    "树人", "美珍", "延年", "仲山", "若兰", "广田",
)
PLACES = (
    ("春和里", "Chunheli"), ("柳荫里", "Liuyinli"), ("福泽园", "Fuzeyuan"), ("安澜里", "Anlanli"),
    ("望海里", "Wanghaili"), ("芳草园", "Fangcaoyuan"), ("松鹤里", "Songheli"),
    ("梅江苑", "Meijiangyuan"),
    ("锦绣里", "Jinxiuli"), ("同乐里", "Tongleli"), ("颐康园", "Yikangyuan"),
    ("晨光里", "Chenguangli"),
)
OPERATORS = (
    "和味餐饮", "津味源餐饮", "颐养食安", "邻里厨房", "福寿膳食", "百家饭", "康宁配餐",
    "老味道餐饮",
)
SETS = (
    ("一荤两素套餐", "Set: one meat, two vegetables", 1300, ("soft", "low_salt")),
    ("红烧肉套餐", "Set: braised pork", 1600, ("gluten",)),
    ("清蒸鱼套餐", "Set: steamed fish", 1800, ("soft", "low_salt", "seafood")),
    ("番茄牛腩套餐", "Set: beef with tomato", 2000, ("soft",)),
    ("狮子头套餐", "Set: large meatballs", 1500, ("soft", "egg")),
    ("素什锦套餐", "Set: mixed vegetables", 1300, ("vegetarian", "low_sugar")),
)
DISHES = (
    ("小米粥", "Millet porridge", 300, ("soft", "vegetarian")),
    ("蒸蛋羹", "Steamed egg", 500, ("soft", "egg")),
    ("烧茄子", "Braised aubergine", 500, ("vegetarian", "gluten")),
    ("炒合菜", "Stir-fried vegetables", 700, ("vegetarian",)),
    ("豆腐脑", "Soft tofu", 300, ("soft",)),
    ("西红柿炒鸡蛋", "Eggs with tomato", 900, ("soft", "egg")),
    ("拌菠菜花生", "Spinach with peanuts", 500, ("peanut", "vegetarian")),
    ("馒头", "Steamed bun", 300, ("soft", "gluten")),
)
BREAKFAST = (
    ("豆浆油条套餐", "Set: soy milk and dough stick", 1300, ("gluten",)),
    ("馄饨早点套餐", "Set: wonton breakfast", 1300, ("soft", "gluten")),
)
