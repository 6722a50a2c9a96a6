/**
 * The run as the page shows it, from what the learner and the recorder know on the host: nothing here asks the device.
 *
 * @module
 */
import "../entry/core.ts"; // there by now: bundlers are told, and leave it whole
import { currentDevice } from "../tensor/mod.ts";
import { type FitRecord, type LrCurve, type Phase, Recorder, type TrainLoop } from "../train/mod.ts";
import type {
  FitMessage,
  FitOutcome,
  Message,
  Points,
  RunMessage,
  RunStatus,
  TextMessage,
  TopLossesMessage,
} from "./messages.ts";
import { downsample } from "./downsample.ts";

/** Points of a curve that a page starts with, and that one message adds at most. */
const MOST = { full: 1500, rows: 500, more: 60 } as const;

/** What a message has of a fit's table. */
type Rows = Pick<FitMessage, "rows" | "iters" | "names">;

/** A fit that the page knows of. */
interface Fit {
  readonly id: number;
  readonly phase: Phase;
  readonly nEpoch: number;
  record: FitRecord;
  /** What the pages have. */
  sentLosses: number;
  sentRows: number;
  sentHps: Record<string, number>;
}

/** Times of the fit under way. */
export interface Clock {
  /** Milliseconds since the fit began, pauses left out. */
  readonly elapsedMs: number;
  /** What was done before the fit began: more than 0 where it goes on from an epoch. */
  readonly startPct: number;
  /** How the last fit ended; null while one is under way. */
  readonly outcome: FitOutcome | null;
}

/** Makes messages of a learner's state, and remembers what the pages have. */
export class RunState {
  /** The items with the largest losses; null before they were asked for. */
  top: TopLossesMessage | null = null;
  readonly #server = crypto.randomUUID();
  readonly #title: string;
  readonly #controls: boolean;
  readonly #fits: Fit[] = [];
  #sentFinder: LrCurve | null = null;
  #sentTop: TopLossesMessage | null = null;
  #sentTexts = "";

  constructor({ title, controls }: { readonly title: string; readonly controls: boolean }) {
    this.#title = title;
    this.#controls = controls;
  }

  /** A fit begins, its record is in place. */
  begin(learn: TrainLoop): void {
    const record = learn.findCb(Recorder)?.save().now;
    if (record === undefined) return;
    const { phase, nEpoch } = learn;
    this.#add(record, phase === "idle" ? "fit" : phase, nEpoch);
  }

  #add(record: FitRecord, phase: Phase, nEpoch: number): void {
    this.#fits.push({ id: this.#fits.length, phase, nEpoch, record, sentLosses: 0, sentRows: 0, sentHps: {} });
  }

  /** Takes over what the recorder has that no event told of. */
  #catchUp(learn: TrainLoop, status: RunStatus): void {
    const recorder = learn.findCb(Recorder)?.save();
    if (recorder === undefined) return;
    const { history, now } = recorder, fit = this.#fits.at(-1);
    if (status === "idle") { // fits before the run was shown, or one that an earlier process finished
      if (fit !== undefined) return;
      for (const record of [...history, now]) {
        if (record.phase !== "idle") this.#add(record, record.phase, record.rows.length);
      }
    } else if (fit !== undefined && fit.record !== now) { // it goes on from a checkpoint, with the record of that
      Object.assign(fit, { record: now, sentLosses: 0, sentRows: 0, sentHps: {} });
    }
  }

  /** Losses of the fit under way that have come to the host. */
  get nLosses(): number {
    return this.#fits.at(-1)?.record.losses.length ?? 0;
  }

  /** Everything. */
  full(learn: TrainLoop, status: RunStatus, clock: Clock): Message {
    this.#catchUp(learn, status);
    return {
      full: true,
      fits: this.#fits.map((fit) => ({
        ...head(fit),
        points: pointsOf(fit, 0, {}, MOST.full),
        ...rowsOf(fit, 0, MOST.rows),
      })),
      finder: finderOf(learn),
      top: this.top,
      texts: textsOf(learn),
      ...this.#common(learn, status, clock),
    };
  }

  /** What is new since the last call. */
  more(learn: TrainLoop, status: RunStatus, clock: Clock): Message {
    this.#catchUp(learn, status);
    const fit = this.#fits.at(-1);
    const finder = finderOf(learn), { top } = this, texts = textsOf(learn), written = JSON.stringify(texts);
    const message = {
      full: false,
      fits: fit === undefined ? [] : [moreOf(fit)],
      ...(finder === this.#sentFinder ? {} : { finder }),
      ...(top === this.#sentTop ? {} : { top }),
      ...(written === this.#sentTexts ? {} : { texts }),
      ...this.#common(learn, status, clock),
    };
    this.#sentFinder = finder;
    this.#sentTop = top;
    this.#sentTexts = written;
    return message;
  }

  #common(learn: TrainLoop, status: RunStatus, clock: Clock) {
    return {
      server: this.#server,
      title: this.#title,
      controls: this.#controls,
      run: runOf(learn, status, clock),
      stats: currentDevice()?.stats() ?? null,
    };
  }
}

/** Most texts of callbacks, and most characters of one, that a page gets. */
const MOST_TEXTS = 20, LONGEST_TEXT = 4000;

/** The newest texts that callbacks show, the last first. */
function textsOf(learn: TrainLoop): TextMessage[] {
  const all = learn.cbs.flatMap((cb) =>
    cb.shown().map(({ title, text }) => ({ title, text: text.slice(0, LONGEST_TEXT) }))
  );
  return all.slice(-MOST_TEXTS).reverse();
}

function finderOf(learn: TrainLoop): LrCurve | null {
  return learn.findCb(Recorder)?.lrFinder ?? null;
}

function runOf(learn: TrainLoop, status: RunStatus, { elapsedMs, startPct, outcome }: Clock): RunMessage {
  const { epoch, nEpoch, iter, nIter, pctTrain } = learn;
  const done = pctTrain - startPct;
  // a probe ends when it has seen enough, long before its epochs are over
  const known = done > 0 && status !== "idle" && learn.phase !== "probe";
  return {
    status,
    outcome,
    epoch,
    nEpoch,
    iter,
    nIter,
    pct: pctTrain,
    elapsed: elapsedMs / 1000,
    left: known ? elapsedMs / 1000 * (1 - pctTrain) / done : null,
    hypers: learn.hasOpt ? learn.opt.hypers.map((h) => ({ ...h })) : [],
  };
}

function head({ id, phase, nEpoch }: Fit): { id: number; phase: Phase; nEpoch: number } {
  return { id, phase, nEpoch };
}

function moreOf(fit: Fit): FitMessage {
  const { record } = fit;
  const points = pointsOf(fit, fit.sentLosses, fit.sentHps, MOST.more);
  fit.sentLosses = record.losses.length;
  for (const name in points.hps) fit.sentHps[name] = hpsOf(record)[name].length;
  const rows = rowsOf(fit, fit.sentRows, MOST.more);
  fit.sentRows = record.rows.length;
  return { ...head(fit), points, ...rows };
}

/** Rows from one on; evenly spread ones where they are too many, the last in any case. */
function rowsOf({ record: { rows, iters, metricNames } }: Fit, from: number, most: number): Rows {
  const every = Math.max(1, Math.ceil((rows.length - from) / most));
  const at: number[] = [];
  for (let i = rows.length - 1; i >= from; i -= every) at.unshift(i);
  return { rows: at.map((i) => rows[i]), iters: at.map((i) => iters[i]), names: metricNames };
}

function pointsOf(
  { record }: Fit,
  fromLoss: number,
  fromHps: Readonly<Record<string, number>>,
  most: number,
): Points {
  const steps = downsample(record.rawLosses, fromLoss, most);
  const hps: Record<string, { steps: number[]; values: number[] }> = {};
  for (const [name, values] of Object.entries(hpsOf(record))) {
    const at = downsample(values, fromHps[name] ?? 0, most);
    hps[name] = { steps: at, values: at.map((i) => values[i]) };
  }
  return { steps, losses: steps.map((i) => record.losses[i]), raw: steps.map((i) => record.rawLosses[i]), hps };
}

/** The scheduled hyper-parameters; the learning rate in any case. */
function hpsOf({ hps, lrs }: FitRecord): Readonly<Record<string, readonly number[]>> {
  return "lr" in hps ? hps : { lr: lrs, ...hps };
}
