// The policy practice sales are priced by: the published one, as a test keeps it.
export const POLICY = {
 "caps": {
  "per_day": 1,
  "per_week": 5
 },
 "document": "津民发〔2024〕7号 关于深化推进老年助餐服务工作实施方案",
 "effective_from": "2024-05-17",
 "eligibility": [
  {
   "code": "G1",
   "household": [
    "12"
   ],
   "min_age": 80,
   "title": {
    "en": "Tianjin household, 80 or over",
    "zh": "天津户籍80周岁及以上"
   }
  },
  {
   "all_categories": [
    "visiting_care"
   ],
   "code": "G2",
   "household": [
    "12"
   ],
   "min_age": 70,
   "title": {
    "en": "Tianjin household, 70 or over, on the visiting-care list",
    "zh": "天津户籍70周岁及以上、探访关爱对象"
   }
  },
  {
   "all_categories": [
    "home_care_subsidy"
   ],
   "any_categories": [
    "minimum_living",
    "minimum_living_margin"
   ],
   "care_levels": [
    "severe"
   ],
   "code": "G3",
   "title": {
    "en": "Home-care subsidy, at or near the minimum living allowance, in severe need of care",
    "zh": "享受居家养老服务补贴的低保或低保边缘、重度失能老人"
   }
  },
  {
   "all_categories": [
    "disability_allowance"
   ],
   "code": "G4",
   "disability_grades": [
    1,
    2
   ],
   "max_age": 69,
   "min_age": 60,
   "title": {
    "en": "Hardship disability allowance, 60 to 69, disability grade 1 or 2",
    "zh": "享受困难残疾人生活补贴、60至69周岁、残疾一二级"
   }
  }
 ],
 "enterprise": [
  {
   "amount": {
    "fen": 200,
    "kind": "flat"
   },
   "code": "operating",
   "funders": [
    {
     "code": "city",
     "share_bp": 5000
    },
    {
     "code": "district",
     "share_bp": 5000
    }
   ],
   "title": {
    "en": "Operating subsidy",
    "zh": "企业运营补贴"
   }
  }
 ],
 "exclude": [
  "in_institution",
  "long_term_care"
 ],
 "gates": [
  {
   "kind": "price_at_least_standard_set"
  }
 ],
 "layers": [
  {
   "amount": {
    "fen": 300,
    "kind": "flat"
   },
   "code": "elder_meal",
   "funders": [
    {
     "code": "city",
     "share_bp": 5000
    },
    {
     "code": "district",
     "share_bp": 5000
    }
   ],
   "title": {
    "en": "Elder meal subsidy",
    "zh": "老人助餐补贴"
   }
  }
 ],
 "meals": [
  "breakfast",
  "lunch",
  "dinner"
 ],
 "name": "tianjin",
 "source_mark": "V",
 "standard_set": {
  "default_fen": 1300,
  "least_kinds": 2,
  "vary_bp": 5000
 },
 "territory": "120000",
 "title": {
  "en": "Tianjin elder meals, plan of 2024",
  "zh": "天津市深化推进老年助餐服务工作实施方案"
 },
 "version": "V2024"
};
