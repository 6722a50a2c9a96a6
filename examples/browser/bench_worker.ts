/**
 * A worker of the benchmark: one library, one workload, timed a block at a time, as the page asks.
 *
 * @module
 */
import { blocksOf, type Subject } from "../../bench/measure.ts";
import type { Workload } from "../../bench/workloads.ts";

/** What everybody computes on. */
export type Device = "webgpu" | "cpu";

/** A library that takes part. */
export interface Contender {
  /** Opens a device; says what it is. */
  open(device: Device): Promise<string>;
  /** Makes what is timed. */
  subjectOf(workload: Workload): Promise<Subject>;
}

/** What the page asks for: to make ready, then to time a block, as often as it likes. */
export type Asked =
  | { readonly ask: "make"; readonly workload: Workload; readonly device: Device; readonly secs: number }
  | { readonly ask: "block" };

/** What it is answered. */
export interface Answer {
  /** What is computed on. */
  readonly backend?: string;
  /** Numbers that must be everyone's. */
  readonly check?: readonly number[];
  /** Steps a second; 0 where the block was too short to count. */
  readonly rate?: number;
  /** What went wrong. */
  readonly failed?: string;
}

/** What is used of a worker's global scope. */
interface WorkerScope {
  onmessage: ((event: MessageEvent<Asked>) => void) | null;
  postMessage(answer: Answer): void;
}

/** Serves a library to the page. */
export function serveContender({ open, subjectOf }: Contender): void {
  const scope = globalThis as unknown as WorkerScope;
  let next: (() => Promise<number>) | null = null;
  const answer = async (asked: Asked): Promise<Answer> => {
    if (asked.ask === "block") return { rate: await next!() };
    const backend = await open(asked.device);
    const subject = await subjectOf(asked.workload);
    ({ next } = blocksOf(subject, asked.secs));
    return { backend, check: subject.check };
  };
  scope.onmessage = async ({ data }) => {
    try {
      scope.postMessage(await answer(data));
    } catch (error) {
      scope.postMessage({ failed: error instanceof Error ? error.message.split("\n")[0] : String(error) });
    }
  };
  scope.postMessage({}); // ready
}
