// The day and hour at the counter, whatever the tablet's own time zone says.
import { say } from "../words.js";

const WEEK_ZH = "日一二三四五六";
const WEEK_EN = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];
const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const AHEAD = 8 * 3600_000; // one zone, no summer time

export function today(at = Date.now()) {
  return new Date(at + AHEAD).toISOString().slice(0, 10);
}

export function clock(at = Date.now()) {
  return new Date(Number(new Date(at)) + AHEAD).toISOString().slice(11, 16);
}

export function dayWords(iso) {
  const day = new Date(`${iso}T00:00:00Z`);
  const [month, date, week] = [day.getUTCMonth(), day.getUTCDate(), day.getUTCDay()];
  return say(`${month + 1}月${date}日（周${WEEK_ZH[week]}）`, `${WEEK_EN[week]} ${date} ${MONTHS[month]}`);
}

export function nextMonday(iso) {
  const day = new Date(`${iso}T00:00:00Z`);
  day.setUTCDate(day.getUTCDate() + (((8 - day.getUTCDay()) % 7) || 7));
  return day.toISOString().slice(0, 10);
}

export const isSunday = (iso) => new Date(`${iso}T00:00:00Z`).getUTCDay() === 0;
