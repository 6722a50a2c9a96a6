/**
 * What the page is told, and what it asks for.
 *
 * @module
 */
import type { DeviceStats } from "../device/contract.ts";
import type { LrCurve, Phase, Row } from "../train/mod.ts";

/** What the learner is doing. */
export type RunStatus = "idle" | "training" | "validating" | "pausing" | "paused" | "stopping";

/** How a fit ended: to its last epoch, cut short by a cancel, or by an error. */
export type FitOutcome = "finished" | "stopped" | "failed";

/** Where the run stands. */
export interface RunMessage {
  /** What the learner is doing. */
  readonly status: RunStatus;
  /** How the last fit ended; null before it did. */
  readonly outcome: FitOutcome | null;
  /** Epoch under way, from 0. */
  readonly epoch: number;
  /** Epochs of the fit. */
  readonly nEpoch: number;
  /** Batch under way, from 0. */
  readonly iter: number;
  /** Batches of the epoch's part. */
  readonly nIter: number;
  /** Fraction of the fit's training done, in [0, 1]. */
  readonly pct: number;
  /** Seconds since the fit began, pauses left out. */
  readonly elapsed: number;
  /** Seconds to go; null before it can be told. */
  readonly left: number | null;
  /** Each param group's hyper-parameters now. */
  readonly hypers: readonly Readonly<Record<string, unknown>>[];
}

/** Points of a fit's curves. Steps count training batches from 0. */
export interface Points {
  /** Training batches, from 0. */
  readonly steps: readonly number[];
  /** Smoothed losses at `steps`. */
  readonly losses: readonly (number | null)[];
  /** The batches' own losses at `steps`. */
  readonly raw: readonly (number | null)[];
  /** Each hyper-parameter at steps of its own. */
  readonly hps: Readonly<Record<string, { readonly steps: readonly number[]; readonly values: readonly number[] }>>;
}

/** One fit. */
export interface FitMessage {
  /** Counts fits of the page from 0. */
  readonly id: number;
  /** What the fit is for, such as a probe of learning rates. */
  readonly phase: Phase;
  /** Epochs of the fit. */
  readonly nEpoch: number;
  /** Points that the page has not. */
  readonly points: Points;
  /** Rows of epochs that the page has not. */
  readonly rows: readonly Row[];
  /** Training batches up to the end of each of these epochs. */
  readonly iters: readonly number[];
  /** Names of the columns. */
  readonly names: readonly string[];
}

/** An item that the model finds hard. */
export interface HardItem {
  /** The picture, as a `data:` address. */
  readonly src: string;
  /** What was predicted, what is true. */
  readonly title: string;
  /** Its loss. */
  readonly loss: number;
}

/** The items with the largest losses, or why there are none to show. */
export interface TopLossesMessage {
  /** The hardest first. */
  readonly items: readonly HardItem[];
  /** Why there are none; else empty. */
  readonly note: string;
}

/** A text that a callback shows, such as a sample of a language model. */
export interface TextMessage {
  /** What it is. */
  readonly title: string;
  /** The text itself. */
  readonly text: string;
}

/** Everything that the page shows (`full`), or what is new. */
export interface Message {
  /** Whether it is everything. */
  readonly full: boolean;
  /** Tells servers apart: a page that meets another one starts afresh. */
  readonly server: string;
  /** Heading of the page. */
  readonly title: string;
  /** Where the run stands. */
  readonly run: RunMessage;
  /** All fits, or what is new of the last one. */
  readonly fits: readonly FitMessage[];
  /** The learning-rate finder's curve; absent where the page has it. */
  readonly finder?: LrCurve | null;
  /** Absent where the page has them. */
  readonly top?: TopLossesMessage | null;
  /** The newest texts that callbacks show, the last first; absent where the page has them. */
  readonly texts?: readonly TextMessage[];
  /** What the device did so far; null where none is open. */
  readonly stats: DeviceStats | null;
  /** Whether the page may pause and stop. */
  readonly controls: boolean;
}

/** What the page's buttons ask for. */
export type Command = "pause" | "resume" | "stop" | "topLosses";

/** All of them. */
export const COMMANDS: readonly string[] = ["pause", "resume", "stop", "topLosses"] satisfies readonly Command[];

/** Whether some value is a {@link Command}. */
export function isCommand(value: unknown): value is Command {
  return typeof value === "string" && COMMANDS.includes(value);
}
