/** Values in words: times, sizes, counts, and what a face is perceived as. */

const CLOCK = new Intl.DateTimeFormat(undefined, { timeStyle: "medium", hourCycle: "h23" });
const DAY = new Intl.DateTimeFormat(undefined, { dateStyle: "medium" });

/** The highest confidence that is shown, as on pictures: no label is certain. */
const MAX_SHOWN_CONFIDENCE = 0.99;

/** Classes that say little without their attribute, as on pictures. */
const BARE = /\d|^([a-z]{1,2}|yes|true|false|none|other)?$/i;

/** The time of day of an ISO time, with its day where that is not today. */
export function clock(iso) {
  const time = new Date(iso);
  const day = DAY.format(time);
  return (day === DAY.format(new Date()) ? "" : `${day}, `) + CLOCK.format(time);
}

/** A length of time in its two largest units: "1 h 5 min". */
export function duration(seconds) {
  const whole = Math.max(0, Math.round(seconds));
  const [hours, minutes] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60];
  if (hours) return `${hours} h ${minutes} min`;
  return minutes ? `${minutes} min ${whole % 60} s` : `${whole} s`;
}

/** The size of a file. */
export function megabytes(bytes) {
  return `${(bytes / 1e6).toFixed(bytes < 1e7 ? 1 : 0)} MB`;
}

/** A count with its noun: "1 face", "3 faces". */
export function counted(count, noun, nouns = `${noun}s`) {
  return `${count.toLocaleString()} ${count === 1 ? noun : nouns}`;
}

/** A rate, frames a second. */
export function rate(fps) {
  return fps.toFixed(fps < 10 ? 1 : 0);
}

/** A confidence, as it stands beside a label. */
export function percent(confidence) {
  return `${Math.round(Math.min(confidence, MAX_SHOWN_CONFIDENCE) * 100)} %`;
}

/** The name of a class as it is shown; faces that are unsure are counted under none. */
export function className(name) {
  return name.replaceAll("_", " ") || "unsure";
}

/** A label in words: "Female", "age 20–29", "glasses yes", "gender unsure". */
export function labelWords(attribute, { text }) {
  const word = className(text ?? "");
  return BARE.test(text ?? "") ? `${className(attribute)} ${word}` : word;
}
