/**
 * Who takes part, and how a program of theirs is run.
 *
 * @module
 */
import type { Measurement } from "./measure.ts";
import { type Workload, WORKLOADS } from "./workloads.ts";

/** What has rows in half precision. */
const HALVES: readonly Workload[] = ["resnet18", "resnet18-224", "chargpt"];

/** What everyone computes on. */
export type DeviceName = "cpu" | "webgpu";

/** A program that measures one workload a process. */
export interface Runner {
  /** Unique; names it in messages and in the table. */
  readonly id: string;
  /** The command up to the workload. */
  readonly command: readonly string[];
  /** What it is told to compute on. */
  readonly backend: string;
  /** Workloads that it is fit for; all without. */
  readonly only?: readonly Workload[];
}

const file = (name: string): string => new URL(name, import.meta.url).pathname;
const deno = (script: string, flags: readonly string[]): string[] => [
  Deno.execPath(),
  "run",
  "-A",
  "--quiet",
  ...flags,
  file(script),
];

/** This module. */
export function ours(device: DeviceName, flags: readonly string[] = []): Runner {
  return { id: "Anneal", command: deno("anneal.ts", flags), backend: device };
}

/**
 * The others, and a line for each that is absent.
 *
 * @param flags For `deno run`: of all that it runs.
 */
export async function peers(
  device: DeviceName,
  flags: readonly string[] = [],
): Promise<{ present: Runner[]; absent: string[] }> {
  const peer = (script: string) => deno(script, ["--config", file("peers/deno.json"), ...flags]);
  const without = (...names: readonly Workload[]) => WORKLOADS.filter((w) => !names.includes(w));
  const jax = (backend: string): Runner => ({
    id: `jax-js ${backend}`,
    command: peer("peers/jax.ts"),
    backend,
    only: without("lstm", "minilm"), // it has no recurrent layers, and no gradient of a look-up in a table of words
  });
  const plainNets = without("resnet18", "resnet18-224", "chargpt", "lstm", "minilm");
  const small = plainNets.filter((w) => !["cnn", "mm2048", "mm4096"].includes(w)); // the others take it minutes on a CPU
  const tfjs = (backend: string, only?: readonly Workload[]): Runner => ({
    id: `TensorFlow.js ${backend}`,
    command: peer("peers/tfjs.ts"),
    backend,
    ...(only === undefined ? {} : { only }),
  });
  const hand: Runner = {
    id: "Anneal by hand",
    command: deno("anneal.ts", flags),
    backend: `${device} by hand`,
    only: ["tiny-learner", "mlp64-learner"],
  };
  const wasm: Runner = { id: "Anneal on WebAssembly", command: deno("anneal.ts", flags), backend: "cpu wasm" };
  const half: Runner = {
    id: "Anneal in half precision",
    command: deno("anneal.ts", flags),
    backend: `${device} f16`,
    only: HALVES,
  };
  const plain = tfjs("cpu", ["tiny", "tiny-learner"]); // JavaScript without more is for small things
  const present = device === "webgpu"
    ? [hand, jax("webgpu"), tfjs("webgpu", plainNets), half]
    : [wasm, hand, jax("wasm"), tfjs("wasm", small), plain];
  const found = await torchDevice();
  if (found === null) return { present, absent: ["PyTorch is absent: python3 cannot import torch"] };
  const torch = (backend: string, only: readonly Workload[]): Runner => ({
    id: `PyTorch ${backend}`,
    command: ["python3", file("peers/torch_bench.py")],
    backend,
    only,
  });
  if (device === "cpu") return { present: [...present, torch("cpu", without("first-mlp64"))], absent: [] };
  if (found === "cuda") {
    return { present: [...present, torch("cuda", without("first-mlp64")), torch("cuda f16", HALVES)], absent: [] };
  }
  // beside WebGPU it only says how much memory there is need of
  return { present: [...present, torch("cpu", ["resnet18"])], absent: ["PyTorch finds no CUDA"] };
}

/** What PyTorch can compute on; null without it. */
async function torchDevice(): Promise<"cuda" | "cpu" | null> {
  try {
    const args = ["-c", "import torch; print('cuda' if torch.cuda.is_available() else 'cpu')"];
    const { success, stdout } = await new Deno.Command("python3", { args, stderr: "null" }).output();
    if (!success) return null;
    return new TextDecoder().decode(stdout).trim() === "cuda" ? "cuda" : "cpu";
  } catch {
    return null; // there is no python3
  }
}

/** The time of a measurement was up before it gave a figure. */
export class Late extends Error {}

/** How long a measurement may take. */
export interface Time {
  /** Seconds of blocks. */
  readonly secs: number;
  /** Seconds of the whole process, after which it is stopped; somewhat before, it is content with fewer blocks. */
  readonly limit?: number;
}

/**
 * Runs a program and takes its line of JSON.
 *
 * @throws {Late} If it has not given one within the limit.
 * @throws {Error} If it fails, or prints no such line, with the end of what it printed.
 */
export async function measure(
  runner: Runner,
  workload: Workload,
  { secs, limit = 120 + 5 * secs }: Time,
): Promise<Measurement> {
  const [exe, ...args] = [...runner.command, workload, runner.backend, String(secs), String(0.75 * limit)];
  const child = new Deno.Command(exe, { args, stdout: "piped", stderr: "piped" }).spawn();
  let late = false;
  const timer = setTimeout(() => {
    late = true;
    child.kill("SIGKILL"); // a driver may not hear of another signal
  }, 1000 * limit);
  const { success, stdout, stderr } = await child.output();
  clearTimeout(timer);
  if (late) throw new Late(`${runner.id} ${workload} gave no result within ${Math.round(limit)} s`);
  const text = new TextDecoder().decode(stdout);
  const line = text.split("\n").findLast((l) => l.startsWith("{"));
  const found = success && line !== undefined ? parse(line) : null;
  if (found !== null) return found;
  const said = (new TextDecoder().decode(stderr) + text).trim().split("\n").slice(-8).join("\n");
  throw new Error(`${runner.id} ${workload} gave no result:\n${said}`);
}

function parse(line: string): Measurement | null {
  const value: Partial<Measurement> = JSON.parse(line);
  const { runner, backend, rates, stepsPerBlock, check, note } = value;
  if (runner === undefined || backend === undefined || stepsPerBlock === undefined) return null;
  if (!Array.isArray(rates) || !Array.isArray(check)) return null;
  return { runner, backend, rates, stepsPerBlock, check, ...(note === undefined ? {} : { note }) };
}
