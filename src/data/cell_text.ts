/**
 * Dates, times and decimals of files as text.
 *
 * @module
 */

const DAY_SECONDS = 86400n;

function pad(n: number | bigint, width: number): string {
  return String(n).padStart(width, "0");
}

/** A day, counted from 1970-01-01, as ISO 8601. Years beyond 9999 have a sign. */
export function dateText(days: number | bigint): string {
  const date = new Date(Number(days) * 86400000);
  return Number.isNaN(date.getTime()) ? `${days} days after 1970-01-01` : date.toISOString().slice(0, -14);
}

/** A time of day as `hh:mm:ss`, with the decimals that there are. */
export function clockText(units: bigint, perSecond: bigint): string {
  const seconds = units / perSecond, rest = units % perSecond;
  const digits = String(perSecond).length - 1;
  const decimals = rest === 0n ? "" : `.${pad(rest, digits).replace(/0+$/, "")}`;
  return `${pad(seconds / 3600n, 2)}:${pad(seconds / 60n % 60n, 2)}:${pad(seconds % 60n, 2)}${decimals}`;
}

/**
 * A moment, counted from the start of 1970, as ISO 8601.
 *
 * @param utc Whether it is one in the whole world; otherwise it is the clock of a place that is not said.
 */
export function momentText(units: bigint, perSecond: bigint, utc: boolean): string {
  const perDay = DAY_SECONDS * perSecond, clock = ((units % perDay) + perDay) % perDay;
  return `${dateText((units - clock) / perDay)}T${clockText(clock, perSecond)}${utc ? "Z" : ""}`;
}

/** A decimal number, `unscaled / 10 ** scale`, with all its digits. */
export function decimalText(unscaled: bigint, scale: number): string {
  if (scale <= 0) return String(unscaled * 10n ** BigInt(-scale));
  const sign = unscaled < 0n ? "-" : "", digits = pad(unscaled < 0n ? -unscaled : unscaled, scale + 1);
  return `${sign}${digits.slice(0, -scale)}.${digits.slice(-scale)}`;
}

/** A whole number of bytes, two's complement, the most significant first. */
export function bigEndian(bytes: Uint8Array): bigint {
  let value = 0n;
  for (const byte of bytes) value = value << 8n | BigInt(byte);
  return BigInt.asIntN(bytes.length * 8, value);
}

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Bytes as text; null where they are no UTF-8. */
export function utf8(bytes: Uint8Array): string | null {
  if (bytes.length <= 64) { // the decoder's own call takes longer than such a text
    let all = 0;
    for (let i = 0; i < bytes.length; i++) all |= bytes[i];
    if (all < 128) return String.fromCharCode.apply(null, bytes as unknown as number[]);
  }
  try {
    return decoder.decode(bytes);
  } catch {
    return null;
  }
}
