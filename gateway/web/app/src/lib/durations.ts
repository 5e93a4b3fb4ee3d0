/** "1:30" from 5,400 seconds; minutes are what people read, seconds are what is kept. */
export function clock(seconds: number): string {
  const minutes = Math.round(seconds / 60);
  return `${Math.floor(minutes / 60)}:${String(minutes % 60).padStart(2, '0')}`;
}

/** "1:30:05" from 5,405 seconds: what is still running shows its seconds. */
export function running(seconds: number): string {
  const [hours, minutes, rest] = [seconds / 3600, (seconds / 60) % 60, seconds % 60].map(Math.floor);
  return `${hours}:${String(minutes).padStart(2, '0')}:${String(rest).padStart(2, '0')}`;
}

/** "2 h 30 min", "45 min" from minutes. */
export function inWords(minutes: number): string {
  const hours = Math.floor(minutes / 60);
  const rest = Math.round(minutes % 60);
  if (hours === 0) return `${rest} min`;
  return rest === 0 ? `${hours} h` : `${hours} h ${rest} min`;
}

/**
 * Seconds from what people type: "1.5", "1,5", "1:30", "1h30", "1h 30m", "90m", "45 min". Null when it is none of these.
 * A bare number means hours.
 */
export function parseDuration(text: string): number | null {
  const typed = text.trim().toLowerCase().replace(',', '.');
  const colon = /^(\d{1,2}):([0-5]\d)$/.exec(typed);
  if (colon) return Number(colon[1]) * 3600 + Number(colon[2]) * 60;
  if (/^\d*\.?\d+$/.test(typed)) return Math.round(Number(typed) * 3600);
  const units = /^(?:(\d*\.?\d+)\s*h(?:ours?|rs?)?)?\s*(?:(\d+)\s*(?:m(?:in(?:utes?)?)?)?)?$/.exec(typed);
  if (!units || (units[1] === undefined && !/m/.test(typed))) return null;
  return Math.round(Number(units[1] ?? 0) * 3600) + Number(units[2] ?? 0) * 60;
}
