/**
 * Which tilings a trial takes, on a device whose times are known, and on the adapter that there is.
 */
import { assert, assertEquals, assertRejects } from "@std/assert";
import { openAdapter } from "../../../src/device/webgpu/adapter.ts";
import { WebgpuDevice } from "../../../src/device/webgpu/device.ts";
import { cachedStrategy } from "../../../src/device/webgpu/adapter_cache.ts";
import { withinScopes } from "../../../src/device/webgpu/faults.ts";
import {
  CLASSES,
  classOf,
  KINDS,
  tilingBy,
  type TilingName,
  TILINGS,
  type Tuning,
  UNTRIED,
} from "../../../src/device/webgpu/kernels/tiles.ts";
import { isTuning } from "../../../src/device/webgpu/adapter_cache.ts";
import { openWebgpu } from "../../../src/device/webgpu/mod.ts";
import { productOf, trialOf } from "../../../src/device/webgpu/trials.ts";
import { candidatesFor, kernelsKey, timeOfRuns, tune } from "../../../src/device/webgpu/tuning.ts";
import type { Executable, Program } from "../../../src/device/contract.ts";
import { LEAST_PROFILE } from "../../support/kernel_texts.ts";
import { ReferenceDevice } from "../../support/reference_device.ts";
import { webgpuTest } from "../../support/webgpu.ts";

const NAMES = Object.keys(TILINGS) as TilingName[];

/** Runs nothing; its clock says what it is told. */
class Timed extends ReferenceDevice {
  readonly tried: string[] = [];
  #name: TilingName | null = null;
  #op = "";

  constructor(readonly timeOf: (name: TilingName | null, op: string) => number) {
    super();
  }

  choose({ strategy, tilings }: Tuning): void {
    this.#name = strategy === "shared" ? null : tilings.matmul.large;
  }

  override compile(program: Program): Executable {
    this.#op = program.kernels[0].op;
    this.tried.push(`${this.#op} ${this.#name}`);
    if (Number.isNaN(this.timeOf(this.#name, this.#op))) throw new Error("no compiler");
    return { program, dispose: () => {} };
  }

  override run(): void {}

  timeRuns(_executable: Executable, _bound: unknown, runs: number): Promise<number> {
    return Promise.resolve(runs * 1e-6 * this.timeOf(this.#name, this.#op));
  }
}

Deno.test("the fastest tiling is taken, of products and of convolutions; what fails or is an order slower is tried once", async () => {
  const device = new Timed((name, op) =>
    name === null
      ? 8
      : name === "128x64"
      ? NaN
      : name === "32x128"
      ? 90
      : name === "64x128"
      ? (op === "conv" ? 2 : 6)
      : 5
  );
  const { strategy, tilings } = await tune(device, { names: NAMES, whole: true });
  assertEquals(strategy, "tiled");
  assertEquals(CLASSES.map((shape) => tilings.conv[shape]), CLASSES.map(() => "64x128"));
  assertEquals(CLASSES.map((shape) => tilings.matmul[shape]), CLASSES.map(() => "64x64"));
  const times = (name: string) => device.tried.filter((line) => line.endsWith(` ${name}`)).length;
  assertEquals(["128x64", "32x128", "64x64"].map(times), [1, 1, KINDS.length * CLASSES.length]);
});

Deno.test("where tiles are slower, or nothing can be timed, none is taken; what can't be tried is never chosen", async () => {
  const few = NAMES.filter((name) => !name.startsWith("128x128"));
  for (const time of [(name: TilingName | null) => name === null ? 1 : 2, () => NaN]) {
    const tuning = await tune(new Timed(time), { names: few, whole: true });
    assertEquals(tuning.strategy, "shared");
    assert(isTuning(JSON.parse(JSON.stringify(tuning)), few), "what does not fit is never named");
  }
  const short = await tune(new Timed(() => 1), { names: NAMES, whole: false });
  assertEquals(short, { strategy: "tiled", tilings: UNTRIED });
  assert(!isTuning({ ...short, tilings: { ...UNTRIED, conv: { ...UNTRIED.conv, few: "7x7" } } }, NAMES));
  assert(!isTuning({ strategy: "shared" }, NAMES) && !isTuning(null, NAMES));
});

Deno.test("a shape's class says its tile; trials are of the class that they stand for", () => {
  const shapes = [[1, 20, 9999, 9], [1, 256, 256, 9], [1, 64, 99999, 9], [64, 256, 256, 9]] as const;
  assertEquals(shapes.map(([batches, m, n, k]) => classOf({ kind: "matmul", batches, m, n, k })), [...CLASSES]);
  assertEquals(tilingBy(UNTRIED)({ kind: "conv", batches: 1, m: 20, n: 99, k: 9 }), "32x128");
  for (const shape of CLASSES) {
    const [product] = trialOf("matmul", shape).kernels, [conv] = trialOf("conv", shape).kernels;
    assert(product.op === "matmul" && conv.op === "conv");
    const places = conv.n.reduce((a, b) => a * b), terms = conv.k.reduce((a, b) => a * b);
    assertEquals(classOf({ kind: "matmul", batches: 1, m: product.m, n: product.n, k: product.k }), shape);
    assertEquals(classOf({ kind: "conv", batches: 1, m: conv.m, n: places, k: terms }), shape);
  }
});

Deno.test("other kernels have another key in the cache", () => {
  const key = (names: readonly TilingName[]) => kernelsKey(names, LEAST_PROFILE, 0);
  assertEquals(key(NAMES), key(NAMES));
  assert(key(NAMES) !== key(NAMES.slice(1)));
  assert(key(["64x64"]) !== key(["64x128"]));
});

webgpuTest("a trial on the adapter: times above 0, and what goes wrong in one is told to nobody else", async () => {
  const opened = await openAdapter({});
  const device = new WebgpuDevice(opened, { strategy: "shared" });
  const program = productOf(40, 40, 40), executable = device.compile(program);
  const bound = program.slots.slice(1).map(({ bytes }) => device.alloc(bytes));
  assert(await timeOfRuns(device, executable, bound) > 0);
  const own = await device.timeRuns(executable, bound, 3);
  assert(opened.device.features.has("timestamp-query") ? own !== null && own > 0 : own === null, `${own}`);
  const broken = () => {
    opened.device.createShaderModule({ code: "fn main() { nothing }" });
    return Promise.resolve(1);
  };
  await assertRejects(() => withinScopes(opened.device, broken), Error, "Cannot try a kernel");
  const none = () => Promise.reject(new Error("mine"));
  await assertRejects(() => withinScopes(opened.device, none), Error, "mine");
  assertEquals(await withinScopes(opened.device, () => Promise.resolve(2)), 2);
  await device.sync();
  executable.dispose();
  bound.forEach((buffer) => device.free(buffer));
  device.release();
  assertEquals(candidatesFor({ limits: opened.device.limits, lanes: 0 }).includes("64x64"), true);
  device.close();
});

webgpuTest(
  "an adapter that takes tiles in workgroup memory is tried when it is opened first, and not again",
  async () => {
    const folder = Deno.makeTempDirSync(), before = Deno.env.get("XDG_CACHE_HOME");
    Deno.env.set("XDG_CACHE_HOME", folder);
    const tunings = () =>
      [...Deno.readDirSync(`${folder}/anneal`)].map(({ name }) => Deno.readTextFileSync(`${folder}/anneal/${name}`))
        .filter((text) => text.includes('"tilings"'));
    try {
      const { identity, device: other } = await openAdapter({});
      other.destroy();
      await cachedStrategy(identity, () => Promise.resolve("shared"));
      const kept: string[] = [];
      for (let i = 0; i < 2; i++) {
        const device = await openWebgpu();
        assert(device instanceof WebgpuDevice && ["shared", "tiled"].includes(String(device.strategy)));
        kept.push(...tunings());
        const [one] = await device.read([{ buffer: device.alloc(16), offset: 0, bytes: 16 }]);
        assertEquals([...one], Array(16).fill(0), "what went on in the trial is over");
        device.close();
      }
      assertEquals(kept.length, 2);
      assertEquals(kept[0], kept[1]);
    } finally {
      if (before === undefined) Deno.env.delete("XDG_CACHE_HOME");
      else Deno.env.set("XDG_CACHE_HOME", before);
      Deno.removeSync(folder, { recursive: true });
    }
  },
  { opengl: false }, // Mesa takes long to compile these kernels there
);
