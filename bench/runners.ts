/**
 * Who takes part, and how a program of theirs is run.
 *
 * @module
 */
import type { Measurement } from "./measure.ts";
import { type Workload, WORKLOADS } from "./workloads.ts";

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
const deno = (script: string): string[] => [Deno.execPath(), "run", "-A", "--quiet", file(script)];
const peer = (script: string): string[] => {
  const [exe, ...rest] = deno(script);
  return [exe, rest[0], "--config", file("peers/deno.json"), ...rest.slice(1)];
};

/** This module. */
export function ours(device: DeviceName): Runner {
  return { id: "Anneal", command: deno("anneal.ts"), backend: device };
}

/** The others, and a line for each that is absent. */
export async function peers(device: DeviceName): Promise<{ present: Runner[]; absent: string[] }> {
  const without = (...names: readonly Workload[]) => WORKLOADS.filter((w) => !names.includes(w));
  const jax = (backend: string): Runner => ({
    id: `jax-js ${backend}`,
    command: peer("peers/jax.ts"),
    backend,
    only: without("lstm", "minilm"), // it has no recurrent layers, and no gradient of a look-up in a table of words
  });
  const small = without("cnn", "resnet18", "chargpt", "lstm", "minilm", "mm2048");
  const tfjs = (backend: string, only?: readonly Workload[]): Runner => ({
    id: `TensorFlow.js ${backend}`,
    command: peer("peers/tfjs.ts"),
    backend,
    ...(only === undefined ? {} : { only }),
  });
  const hand: Runner = {
    id: "Anneal by hand",
    command: deno("anneal.ts"),
    backend: `${device} by hand`,
    only: ["tiny-learner", "mlp64-learner"],
  };
  const wasm: Runner = { id: "Anneal on WebAssembly", command: deno("anneal.ts"), backend: "cpu wasm" };
  const plain = tfjs("cpu", ["tiny", "tiny-learner"]); // JavaScript without more is for small things
  const present = device === "webgpu"
    ? [hand, jax("webgpu"), tfjs("webgpu", small)]
    : [wasm, hand, jax("wasm"), tfjs("wasm", small), plain];
  if (!await hasTorch()) return { present, absent: ["PyTorch is absent: python3 cannot import torch"] };
  const torch: Runner = {
    id: "PyTorch",
    command: ["python3", file("peers/torch_bench.py")],
    backend: "cpu",
    // beside WebGPU it only says how much memory there is need of
    only: device === "webgpu" ? ["resnet18"] : without("first-mlp64"),
  };
  return { present: [...present, torch], absent: [] };
}

async function hasTorch(): Promise<boolean> {
  try {
    const args = ["-c", "import torch"];
    return (await new Deno.Command("python3", { args, stdout: "null", stderr: "null" }).output()).success;
  } catch {
    return false; // there is no python3
  }
}

/**
 * Runs a program and takes its line of JSON.
 *
 * @param secs Seconds of blocks.
 * @throws Error with the end of what it printed, if it fails, hangs, or prints no such line.
 */
export async function measure(runner: Runner, workload: Workload, secs: number): Promise<Measurement> {
  const [exe, ...args] = [...runner.command, workload, runner.backend, String(secs)];
  const signal = AbortSignal.timeout((120 + 5 * secs) * 1000);
  const { success, stdout, stderr } = await new Deno.Command(exe, { args, signal, stdout: "piped", stderr: "piped" })
    .output();
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
