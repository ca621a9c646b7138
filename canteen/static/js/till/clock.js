// The tablet's clock against the server's, and the day in Shanghai.
const HOUR = 3_600_000;
const SHANGHAI = 8 * HOUR; // no summer time since 1991

// `off` is server minus device in whole milliseconds; null when it was never measured.
export class Clock {
  constructor(off = null, read = () => Date.now()) {
    Object.assign(this, { off, read });
  }

  // An answer's instant lies about halfway between asking and hearing.
  measure(asked, heard, said) {
    const at = Date.parse(said);
    if (Number.isNaN(at) || heard < asked) return false;
    this.off = Math.floor(at - (asked + heard) / 2);
    return true;
  }

  device() {
    return this.read();
  }

  now() {
    return this.read() + (this.off ?? 0);
  }

  today() {
    return dayOf(this.now());
  }
}

// The day in Shanghai of an instant in milliseconds: "2026-11-22".
export function dayOf(instant) {
  return new Date(instant + SHANGHAI).toISOString().slice(0, 10);
}

// The Monday of a day's week.
export function weekOf(on) {
  const day = new Date(`${on}T00:00:00Z`);
  const since = (day.getUTCDay() + 6) % 7;
  return new Date(day.getTime() - since * 24 * HOUR).toISOString().slice(0, 10);
}

// Milliseconds from an instant to the next midnight in Shanghai.
export function untilMidnight(instant) {
  return 24 * HOUR - ((instant + SHANGHAI) % (24 * HOUR));
}
