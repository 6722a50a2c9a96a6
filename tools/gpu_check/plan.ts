/**
 * The parts of `deno task gpu:check`, by their value, and how the time is shared out.
 *
 * @module
 */
import { WORKLOADS } from "../../bench/workloads.ts";
import { PRODUCT_FAMILIES, WITHOUT } from "./families.ts";

/** One part: its command, its share of the time, and what the time may be at most. */
export interface Part {
  readonly name: string;
  /** The command; the time is added to it unless the part is of tests. */
  readonly command: readonly string[];
  /** What prints tables, or a run of tests. */
  readonly prints: "tables" | "tests";
  /** How much of the time it is worth, next to others. */
  readonly weight: number;
  /** Seconds at most. */
  readonly most: number;
}

/** How a run differs. */
export interface PlanOptions {
  readonly quick: boolean;
  readonly dawn: boolean;
}

/** Workloads in the order of their value; the rest follows. */
const FIRST = ["mlp64", "resnet18", "chargpt", "mm4096", "resnet18-224", "mm2048", "cnn", "mlp256"] as const;
const QUICK = ["tiny", "mlp64", "chargpt", "mm512"] as const;

/** Tests of whole nets against recordings of PyTorch. */
export const NETS = {
  resnet18: "tests/vision/resnet_test.ts",
  gpt2: "tests/text/transformers_test.ts",
  f16: "tests/callbacks/mixed_precision_test.ts",
} as const;

const root = new URL("../../", import.meta.url).pathname;

/** Arguments that put Dawn in place of Deno's own WebGPU. */
function preload(dawn: boolean): string[] {
  return dawn ? ["--no-lock", "--preload", `${root}tests/support/dawn_preload.ts`] : [];
}

/** All parts in order. */
export function partsOf({ quick, dawn }: PlanOptions): Part[] {
  const flags = ["-A", "--no-check", "--cached-only", ...preload(dawn)];
  const own = (file: string, name: string, weight: number, most: number): Part => ({
    name,
    command: [Deno.execPath(), "run", ...flags, `${root}tools/gpu_check/${file}.ts`, name]
      .concat(quick ? ["--quick"] : [], dawn ? ["--dawn"] : []),
    prints: "tables",
    weight,
    most,
  });
  const workloads = quick ? QUICK : [...FIRST, ...WORKLOADS.filter((w) => !(FIRST as readonly string[]).includes(w))];
  const benches = workloads.map((name, i) => own("bench", `bench:${name}`, quick ? 8 : i < FIRST.length ? 5 : 2, 90));
  return [
    own("parts", "adapter", 2, 90),
    own("parts", "peak", 1, 30),
    own("parts", "conformance:auto", 5, 120),
    own("products", "products:auto", 3, 60),
    ...Object.entries(NETS).map(([name, file]): Part => ({
      name: `nets:${name}`,
      command: [Deno.execPath(), "test", ...flags, "--filter", "/\\(webgpu\\)/", `${root}${file}`],
      prints: "tests",
      weight: quick ? 8 : 4,
      most: 60,
    })),
    own("parts", "recorded", 4, 120),
    ...benches.slice(0, FIRST.length),
    ...Object.keys(WITHOUT).map((name) => own("parts", `conformance:${name}`, 2, 90)),
    ...PRODUCT_FAMILIES.map((family) => own("parts", `conformance:${family}`, 2, 120)),
    {
      name: "torch",
      command: ["python3", `${root}bench/peers/torch_products.py`].concat(
        quick ? ["256"] : ["1024", "2048", "4096", "8192"],
      ),
      prints: "tables",
      weight: 2,
      most: 60,
    },
    ...["f16", ...PRODUCT_FAMILIES].map((family) => own("products", `products:${family}`, 1, 60)),
    ...benches.slice(FIRST.length),
  ];
}

/** What each part is given at least: less is not worth the start of a process. */
export const LEAST_SECONDS = 6;

/**
 * Seconds of the first of `parts` where all of them have `left` seconds: the least that a part needs, and of what is left beyond that
 * for all of them a share by its weight. Where there is not enough for all, the last ones get nothing. 0 where it is too little for
 * this one.
 */
export function shareOf(parts: readonly Pick<Part, "weight" | "most">[], left: number): number {
  if (left < LEAST_SECONDS) return 0;
  const [{ weight, most }] = parts, all = parts.reduce((sum, part) => sum + part.weight, 0);
  const beyond = Math.max(0, left - LEAST_SECONDS * parts.length);
  return Math.min(most, LEAST_SECONDS + beyond * weight / all);
}

/** How long a part is told to go on where it is stopped after `share` seconds: it needs time to tell how far it came. */
export function toldOf(share: number): number {
  return Math.max(share - 5, 0.75 * share);
}
