/**
 * Suggestion functions of the learning-rate finder: pure functions of its curve. Each looks at the points that
 * {@link trimCurve} leaves and names a learning rate, or says why it can't.
 *
 * @module
 */
import { ConfigError } from "../base/errors.ts";
import { checkOptions, num } from "../base/options.ts";

/** A learning rate read off the curve, with the point to mark, or the reason why there is none. */
export type Suggestion =
  | { readonly suggestion: number; readonly point: readonly [lr: number, loss: number] }
  | { readonly suggestion: null; readonly reason: string };

/**
 * Reads a learning rate off a curve.
 *
 * @param lrs Learning rates, ascending, one a point.
 * @param losses Smoothed losses, as many.
 * @param numIt The finder's `numIt`.
 */
export type SuggestFunc = (lrs: readonly number[], losses: readonly number[], numIt: number) => Suggestion;

/** The part of a finder's curve that suggestions look at. */
export interface TrimmedCurve {
  /** Learning rates, ascending. */
  readonly lrs: readonly number[];
  /** Their losses. */
  readonly losses: readonly number[];
  /** Whether fastai's cut, a tenth of `numIt` in front and 5 behind, left fewer than 16 points, so that less was cut. */
  readonly shortened: boolean;
}

/** Points below which no suggestion is made. */
export const MIN_POINTS = 16;

/**
 * Cuts a finder's curve: `floor(numIt / 10)` points in front, 5 behind, then everything from the first NaN on. Where
 * that would leave fewer than 16 points, as after an early divergence, less is cut, in front first, and `shortened` says so.
 *
 * @param lrs Learning rates, one a batch.
 * @param losses Smoothed losses, as many.
 * @param numIt The finder's `numIt`, at least 1.
 * @throws {ConfigError} When lengths differ or `numIt` is no positive integer.
 */
export function trimCurve(lrs: readonly number[], losses: readonly number[], numIt: number): TrimmedCurve {
  check(lrs, losses, numIt);
  const front = Math.floor(numIt / 10), back = 5, nan = losses.findIndex(Number.isNaN);
  const n = nan < 0 ? losses.length : nan, cut = Math.min(n, losses.length - back);
  if (cut - front >= MIN_POINTS) {
    return { lrs: lrs.slice(front, cut), losses: losses.slice(front, cut), shortened: false };
  }
  const end = Math.min(n, Math.max(cut, MIN_POINTS)); // the first points say nothing, the last ones may hide the valley
  const start = Math.max(0, Math.min(front, end - MIN_POINTS));
  return { lrs: lrs.slice(start, end), losses: losses.slice(start, end), shortened: true };
}

function check(lrs: readonly number[], losses: readonly number[], numIt: number): void {
  if (lrs.length !== losses.length) {
    throw new ConfigError(
      `Cannot read a learning-rate curve: as many lrs as losses are needed, got ${lrs.length} and ${losses.length}`,
    );
  }
  if (!Number.isInteger(numIt) || numIt < 1) {
    throw new ConfigError(`Cannot read a learning-rate curve: numIt must be a positive integer, got ${numIt}`);
  }
}

/** Runs `pick` on the points before the first NaN, if they suffice. */
function suggestion(pick: (lrs: readonly number[], losses: readonly number[]) => Suggestion): SuggestFunc {
  return (lrs, losses, numIt) => {
    check(lrs, losses, numIt);
    const nan = losses.findIndex(Number.isNaN), n = nan < 0 ? losses.length : nan;
    if (n < MIN_POINTS) {
      const after = nan < 0 ? "" : " before the loss became NaN";
      const reason = `the curve has ${n} points${after}, and at least ${MIN_POINTS} are needed: ` +
        "start lower (startLr) or take more steps (numIt)";
      return { suggestion: null, reason };
    }
    return pick(lrs.slice(0, n), losses.slice(0, n));
  };
}

function at(lrs: readonly number[], losses: readonly number[], i: number): Suggestion {
  return { suggestion: lrs[i], point: [lrs[i], losses[i]] };
}

/** Index of the smallest number, the first of equals. */
function argmin(xs: readonly number[]): number {
  let best = 0;
  for (let i = 1; i < xs.length; i++) if (xs[i] < xs[best]) best = i;
  return best;
}

/**
 * The middle of the longest stretch of falling losses: with `M` the length of the longest strictly decreasing subsequence,
 * ending earliest at `E`, the point `E - M + floor(M / 3) + floor(M / 6)`, but never before the first.
 *
 * A curve that never falls gives its first point.
 */
export const valley: SuggestFunc = suggestion((lrs, losses) => {
  const longest: number[] = []; // of the decreasing subsequences that end at i
  let start = 0, end = 0, best = 1;
  for (let i = 0; i < losses.length; i++) {
    let length = 1;
    for (let j = 0; j < i; j++) if (losses[i] < losses[j] && longest[j] >= length) length = longest[j] + 1;
    longest.push(length);
    if (length > best) [best, end, start] = [length, i, i - length];
  }
  const third = (end - start) / 3;
  return at(lrs, losses, Math.max(0, start + Math.trunc(third) + Math.trunc(third / 2))); // fastai wraps round at -1
});

/** Options of {@link slideWith}. */
export interface SlideOptions {
  /** Points between the two ends of the interval, at least 1. */
  readonly lrDiff?: number;
  /** Difference of the slopes, in loss a point, below which the interval stops sliding. */
  readonly thresh?: number;
  /** Factor on the learning rate found. */
  readonly adjustValue?: number;
}

/** Slope at each point, in loss a point: central differences, one-sided at the ends. */
function slopes(losses: readonly number[]): number[] {
  const last = losses.length - 1;
  return losses.map((_, i) => {
    const a = Math.max(0, i - 1), b = Math.min(last, i + 1);
    return (losses[b] - losses[a]) / (b - a);
  });
}

/** Linear interpolation of `losses` over log10 of `lrs`; beyond the ends, their losses. */
function lossAt(lrs: readonly number[], losses: readonly number[], lr: number): number {
  const last = lrs.length - 1;
  if (lr <= lrs[0]) return losses[0];
  if (lr >= lrs[last]) return losses[last];
  const j = lrs.findIndex((x) => x > lr), i = j - 1;
  const t = (Math.log10(lr) - Math.log10(lrs[i])) / (Math.log10(lrs[j]) - Math.log10(lrs[i]));
  return losses[i] + t * (losses[j] - losses[i]);
}

/**
 * A {@link slide} with other options.
 *
 * @throws {ConfigError} When `lrDiff` is no positive integer, or the others aren't positive numbers.
 */
export function slideWith(options: SlideOptions = {}): SuggestFunc {
  checkOptions("slide over a curve", options, { lrDiff: num, thresh: num, adjustValue: num });
  const { lrDiff = 15, thresh = 0.005, adjustValue = 1 } = options;
  if (!Number.isInteger(lrDiff) || lrDiff < 1) {
    throw new ConfigError(`Cannot slide over a curve: lrDiff must be a positive integer, got ${lrDiff}`);
  }
  if (!(thresh >= 0)) throw new ConfigError(`Cannot slide over a curve: thresh must be at least 0, got ${thresh}`);
  if (!(adjustValue > 0 && Number.isFinite(adjustValue))) {
    throw new ConfigError(`Cannot slide over a curve: adjustValue must be a positive number, got ${adjustValue}`);
  }
  return suggestion((lrs, losses) => {
    const g = slopes(losses);
    let left = losses.length - 1 - lrDiff;
    if (left < 0) {
      const reason = `the curve has ${losses.length} points, and lrDiff ${lrDiff} needs at least ${lrDiff + 1}`;
      return { suggestion: null, reason };
    }
    let lr = lrs[left];
    for (; left >= 0 && Math.abs(g[left + lrDiff] - g[left]) > thresh; left--) lr = lrs[left];
    lr *= adjustValue;
    return { suggestion: lr, point: [lr, lossAt(lrs, losses, lr)] };
  });
}

/**
 * Slides an interval of 15 points from the right end leftwards for as long as the slopes at its two ends differ by more
 * than 0.005 in loss a point, and gives its left end; see {@link slideWith} for the options.
 */
export const slide: SuggestFunc = slideWith();

/** A tenth of the learning rate with the smallest loss; the point to mark is the smallest loss itself. */
export const minimum: SuggestFunc = suggestion((lrs, losses) => {
  const i = argmin(losses);
  return { suggestion: lrs[i] / 10, point: [lrs[i], losses[i]] };
});

/** The learning rate where the loss falls fastest over ln(lr). */
export const steep: SuggestFunc = suggestion((lrs, losses) => {
  const g = Array.from(
    { length: lrs.length - 1 },
    (_, i) => (losses[i + 1] - losses[i]) / (Math.log(lrs[i + 1]) - Math.log(lrs[i])),
  );
  return at(lrs, losses, argmin(g));
});
