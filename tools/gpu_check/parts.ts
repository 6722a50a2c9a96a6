/**
 * Parts of `deno task gpu:check` that say what an adapter is and whether it computes right, each a process of its own:
 * `parts.ts <part> [--quick] --seconds N`.
 *
 * @module
 */
import { WebgpuDevice } from "../../src/device/webgpu/device.ts";
import { openWebgpu } from "../../src/device/webgpu/mod.ts";
import { requestAdapter } from "../../src/device/webgpu/request.ts";
import { session } from "../../src/graph/session.ts";
import { checkCase } from "../../tests/support/conformance.ts";
import { programs } from "../../tests/support/programs.ts";
import { failures, recordedCases } from "../../tests/support/recorded.ts";
import { absentFamily, openFamily } from "./families.ts";
import { peakGflops } from "./peak.ts";
import { type PartArgs, partArgs, type PartResult, report, resultOf, spread } from "./result.ts";

async function adapter(): Promise<PartResult> {
  const found = await requestAdapter();
  if (found === null) throw new Error("there is no adapter");
  const start = performance.now();
  const device = await openWebgpu();
  const opened = performance.now() - start;
  if (!(device instanceof WebgpuDevice)) throw new Error("not a WebGPU device");
  const { info, limits } = found;
  const sizes = [[32, 4096], [512, 512], [64, 16384], [2048, 2048]];
  const tiles = (kind: "matmul" | "conv") =>
    sizes.map(([m, n]) => device.tiling({ kind, batches: 1, m, n, k: 1024 })).join(", ");
  const rows: [string, string | number][] = [
    ["name", device.name],
    ["vendor, architecture, device", [info.vendor, info.architecture, info.device].join(", ")],
    ["products", device.strategy ?? "unknown"],
    [`tiles of products of ${sizes.map((size) => size.join(" x ")).join(", ")}`, tiles("matmul")],
    ["tiles of convolutions of these", tiles("conv")],
    ["threads of a subgroup that are used", device.lanes],
    ["f16 of its own that is used", device.halves ? "yes" : "no"],
    ["opened in ms, trials included", Math.round(opened)],
    ["features", [...found.features].sort().join(", ")],
  ];
  for (const name in limits) {
    const value: unknown = Reflect.get(limits, name);
    if (/Buffer|Compute|Storage/.test(name) && typeof value === "number") rows.push([name, value]);
  }
  return resultOf({ head: ["of the adapter", "value"], rows });
}

/** Runs what is left of the time over `steps`, and says how it stands before each of them and at the end. */
async function through<T>(
  steps: readonly { readonly name: string; readonly work: T }[],
  { left }: PartArgs,
  step: (work: T) => Promise<void>,
  stand: (done: number) => Omit<Partial<PartResult>, "whole" | "at"> & Pick<PartResult, "head">,
): Promise<PartResult> {
  for (const [done, { name, work }] of steps.entries()) {
    const now = resultOf({ ...stand(done), whole: false, at: name });
    if (left() <= 0) return { ...now, at: `${done} of ${steps.length} done` };
    report(now);
    await step(work);
  }
  return resultOf(stand(steps.length));
}

async function conformance(family: string, args: PartArgs): Promise<PartResult> {
  const head = ["family", "programs", "of", "wrong"];
  const device = await openFamily(family), absent = await absentFamily(family, device);
  if (absent !== "") return resultOf({ head, absent });
  const products = /matmul|conv/, halves = /f16|half/;
  const only = family.startsWith("tiled") ? products : family === "without f16" ? halves : /./;
  const all = programs.filter(({ name }) => only.test(name)).filter((_, i) => !args.quick || i % 12 === 0);
  const wrong: string[] = [], faults: string[] = [];
  return await through(
    spread(all).map((work) => ({ name: work.name, work })),
    args,
    async (testCase) => {
      const message = await checkCase(device, testCase);
      if (message === null) return;
      const line = `${family}: ${testCase.name}: ${message.split("\n")[0]}`;
      (message.startsWith("bound slot") ? wrong : faults).push(line);
    },
    (done) => ({ head, rows: [[family, done, all.length, wrong.length + faults.length]], wrong, faults }),
  );
}

/** Cases that are computed together. */
const TOGETHER = 25;

async function recorded(args: PartArgs): Promise<PartResult> {
  session.useDevice(await openWebgpu());
  const files = ["random.json", "special.json"].map((file) => {
    const cases = spread(recordedCases(file).filter((_, i) => !args.quick || i % 40 === 0));
    return { file, cases, done: 0, wrong: 0 };
  });
  const steps = files.flatMap((of) =>
    Array.from({ length: Math.ceil(of.cases.length / TOGETHER) }, (_, i) => {
      const cases = of.cases.slice(i * TOGETHER, (i + 1) * TOGETHER);
      return { name: `${of.file}, from case ${i * TOGETHER} of its order on: ${cases[0].fn}`, work: { of, cases } };
    })
  );
  const wrong: string[] = [];
  return await through(
    spread(steps),
    args,
    async ({ of, cases }) => {
      const lines = await failures(cases, { rel: 1e-5, whole: true });
      of.done += cases.length;
      of.wrong += lines.length;
      wrong.push(...lines.map((line) => line.slice(0, 300)));
    },
    () => ({
      head: ["recording", "cases", "of", "wrong"],
      rows: files.map(({ file, cases, done, wrong }) => [file, done, cases.length, wrong]),
      wrong,
    }),
  );
}

async function peak({ quick }: PartArgs): Promise<PartResult> {
  const found = await requestAdapter();
  if (found === null) throw new Error("there is no adapter");
  const halves = found.features.has("shader-f16");
  const device = await found.requestDevice(halves ? { requiredFeatures: ["shader-f16"] } : {});
  const head = ["multiplications and additions in registers", "GFLOP/s"], rows: [string, number][] = [];
  for (const dtype of halves ? ["f32", "f16"] as const : ["f32"] as const) {
    report(resultOf({ head, rows, whole: false, at: dtype }));
    rows.push([dtype, Number((await peakGflops(device, dtype, quick ? 20 : 200)).toPrecision(3))]);
  }
  return resultOf({ head, rows });
}

if (import.meta.main) {
  const args = partArgs(Deno.args), [kind, family = "auto"] = args.name.split(":");
  const run: Record<string, () => Promise<PartResult>> = {
    adapter,
    recorded: () => recorded(args),
    peak: () => peak(args),
    conformance: () => conformance(family, args),
  };
  report(await run[kind]());
  Deno.exit(0); // Dawn keeps a process alive
}
