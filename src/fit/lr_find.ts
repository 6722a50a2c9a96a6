/**
 * The learning-rate finder.
 *
 * @module
 */
import { ConfigError } from "../base/errors.ts";
import { abortSignal, checkOptions, flag, other } from "../base/options.ts";
import { type LrCurve, refuseNested, type TrainLoop } from "../train/mod.ts";
import { inPhase } from "./fine_tune.ts";
import { fit, interruptible } from "./fit.ts";
import { LR_FINDER, type LrFinderOptions, LrProbe } from "./lr_finder.ts";
import { takeSnapshot } from "./snapshot.ts";
import { minimum, slide, steep, type SuggestFunc, trimCurve, valley } from "./suggest.ts";

/** Suggestion functions: one, a list, or a record that names them. */
export type SuggestFuncs = SuggestFunc | readonly SuggestFunc[] | Readonly<Record<string, SuggestFunc>>;

/** Options of {@link lrFind}. */
export interface LrFindOptions extends LrFinderOptions {
  /** Which suggestions to make; `valley` by default. */
  readonly suggestFuncs?: SuggestFuncs;
  /** Whether to write the plot, as text, to the learner's logger; false by default (fastai: true). */
  readonly showPlot?: boolean;
  /** Stops the finder after the step under way once it is aborted, with an `InterruptedError`; nothing has changed then. */
  readonly signal?: AbortSignal;
}

/** One suggestion, or null, by the suggestion function's name, and how it came about. */
export type LrFindResult = Readonly<Record<string, number | null>> & {
  /** The smoothed losses of all steps, by learning rate. */
  readonly curve: { readonly lrs: readonly number[]; readonly losses: readonly number[] };
  /** Suggestions as points of the curve, by name. */
  readonly points: LrCurve["points"];
  /** Why there is no suggestion, by name. */
  readonly reasons: LrCurve["reasons"];
};

const NAMES: ReadonlyMap<SuggestFunc, string> = new Map([
  [valley, "valley"],
  [slide, "slide"],
  [minimum, "minimum"],
  [steep, "steep"],
]);
const TAKEN = ["curve", "points", "reasons"];

/**
 * Trains a few steps with a growing learning rate and suggests where to start. Afterwards everything is as it was, bit
 * for bit: weights, buffers, optimizer, random numbers, callbacks' states, loader order, the learner's fields, the
 * recorder's rows and losses. The curve stays in `recorder.lrFinder`. Nothing is written to disk.
 *
 * @throws ConfigError where suggestion functions have no names, or one name twice.
 * @see Smith 2015, arXiv:1506.01186
 */
export async function lrFind(learn: TrainLoop, options: LrFindOptions = {}): Promise<LrFindResult> {
  const { suggestFuncs = valley, showPlot = false, signal, ...probing } = checkOptions("lrFind", options, {
    ...LR_FINDER,
    suggestFuncs: other(
      "valley, slide, minimum, steep or functions like them: one, an array, or an object that names them",
      (v) => typeof v === "object" && v !== null ? Object.values(v).every(isFunction) : isFunction(v),
    ),
    showPlot: flag,
    signal: abortSignal,
  });
  const { numIt = 100 } = probing;
  const named = nameAll(suggestFuncs);
  const probe = new LrProbe(probing);
  return await learn.runs.take(
    "lrFind",
    () => interruptible(learn, "lrFind", signal, () => find(learn, named, probe, { showPlot, numIt })),
  );
}

async function find(
  learn: TrainLoop,
  named: readonly (readonly [string, SuggestFunc])[],
  probe: LrProbe,
  { showPlot, numIt }: { readonly showPlot: boolean; readonly numIt: number },
): Promise<LrFindResult> {
  const { recorder } = learn;
  const nEpoch = Math.floor(numIt / Math.max(1, learn.dls.train.length)) + 1;
  refuseNested(learn);
  await learn.ready();
  const snapshot = await takeSnapshot(learn);
  const before = recorder.save();
  let lrs: number[], losses: number[];
  try {
    await inPhase(learn, "probe", () => learn.noLogging(() => fit(learn, nEpoch, { cbs: probe })));
    lrs = [...recorder.lrs];
    losses = [...recorder.losses];
  } finally {
    recorder.restore(before);
    await snapshot.restore();
  }
  const points: Record<string, readonly [number, number]> = {};
  const reasons: Record<string, string> = {};
  const suggestions: Record<string, number | null> = {}, taken: Record<string, number> = {};
  const trimmed = trimCurve(lrs, losses, numIt);
  const nan = await nanText(learn, losses);
  for (const [name, suggest] of named) {
    const found = suggest(trimmed.lrs, trimmed.losses, numIt);
    suggestions[name] = found.suggestion;
    if (found.suggestion === null) reasons[name] = nan ?? found.reason;
    else {
      points[name] = found.point;
      taken[name] = found.suggestion;
    }
  }
  recorder.lrFinder = { lrs, losses, suggestions: taken, points, reasons };
  if (showPlot) learn.logger.line(await recorder.plotLrFind().text());
  return Object.assign(suggestions, { curve: { lrs, losses }, points, reasons });
}

/** Why the probe's loss became NaN, where that is not the learning rate's doing; null where it may be. */
async function nanText(learn: TrainLoop, losses: readonly number[]): Promise<string | null> {
  const at = losses.findIndex((loss) => !Number.isFinite(loss));
  if (at < 0) return null;
  const { nanCauseText } = await import("../train/odd_indices.ts"); // code that training does without
  const inData = await nanCauseText(learn, learn.dls.train);
  if (inData !== null) return `the loss is ${losses[at]} from batch ${at} on: ${inData}`;
  return at > 0
    ? null
    : `the loss is ${losses[0]} at the first batch already, before any step: look at the model and the loss`;
}

function nameAll(funcs: SuggestFuncs): [string, SuggestFunc][] {
  const list: [string, SuggestFunc][] = typeof funcs === "function"
    ? [[nameOf(funcs), funcs]]
    : isList(funcs)
    ? funcs.map((f) => [nameOf(f), f])
    : Object.entries(funcs);
  const seen = new Set<string>();
  for (const [name] of list) {
    const rule = "each suggestion function needs a name of its own, give one as { suggestFuncs: { mine: f } }";
    if (name === "") throw new ConfigError(`Cannot name a suggestion: ${rule}`);
    if (seen.has(name)) throw new ConfigError(`Cannot name two suggestions ${name}: ${rule}`);
    if (TAKEN.includes(name)) {
      throw new ConfigError(`Cannot name a suggestion ${name}: the result has that field already`);
    }
    seen.add(name);
  }
  return list;
}

function isFunction(value: unknown): boolean {
  return typeof value === "function";
}

function nameOf(f: SuggestFunc): string {
  return NAMES.get(f) ?? f.name;
}

function isList(funcs: SuggestFuncs): funcs is readonly SuggestFunc[] {
  return Array.isArray(funcs);
}
