/**
 * Recordings of `tests/oracle/recorder.py`: cases that name a function of the public face, run here and compared.
 *
 * @module
 */
import { grad, nn, ops, readAll, type Tensor, tensor } from "../../mod.ts";
import { fill } from "./fill.ts";
import type { Json } from "./golden.ts";

/** An input of a recorded case; see `recorder.py`. */
export interface CaseInput {
  readonly s: readonly number[];
  readonly d?: "i32" | "u8" | "bool";
  /** Seed, scale and offset of `fill`. */
  readonly f?: readonly [number, number, number?];
  /** Numbers: base64 of f32, or whole numbers. */
  readonly v?: string | readonly number[];
  readonly view?: readonly (readonly [string, Json])[];
}

/** A recorded case; see `recorder.py`. */
export interface RecordedCase {
  /** `ops.<name>` or `nn.<Name>` */
  readonly fn: string;
  readonly args: readonly Json[];
  readonly new?: readonly Json[];
  readonly state?: Readonly<Record<string, string>>;
  readonly train?: boolean;
  readonly of?: string | number | readonly number[];
  readonly through?: string;
  readonly x: readonly CaseInput[];
  readonly shape: readonly number[];
  readonly seed?: number;
  readonly about?: string;
  /** Whether digits are counted from the largest element, not in each. */
  readonly whole?: boolean;
  readonly y: string;
  readonly g?: Readonly<Record<string, string>>;
  readonly y32?: string;
  readonly g32?: Readonly<Record<string, string>>;
}

/** The cases of a recording in `tests/golden`. */
export function recordedCases(file: string): readonly RecordedCase[] {
  type Stored = Omit<RecordedCase, "x"> & { readonly x: readonly (CaseInput | number)[] };
  const { inputs, cases }: { readonly inputs: readonly CaseInput[]; readonly cases: readonly Stored[] } = JSON.parse(
    Deno.readTextFileSync(new URL(`../golden/${file}`, import.meta.url)),
  );
  return cases.map((c) => ({ ...c, x: c.x.map((x) => typeof x === "number" ? inputs[x] : x) }));
}

/** For failures: the function, its arguments and its inputs. */
export function nameOf(c: RecordedCase): string {
  const inputs = c.x.map((x) => `[${x.s}]${x.d ?? ""}${x.view ? JSON.stringify(x.view) : ""}`).join(" ");
  const made = c.new === undefined ? "" : ` of ${JSON.stringify(c.new)}`;
  return `${c.fn}${made} (${JSON.stringify(c.args).slice(1, -1)}) ${inputs}${c.about ? `, ${c.about}` : ""}`;
}

/** f32 of base64. */
export function floats(text: string): Float32Array {
  const bytes = Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
  return new Float32Array(bytes.buffer);
}

/** The input before its views. */
function leafOf({ s, d, f, v }: CaseInput): Tensor {
  const shape = [...s];
  if (f !== undefined) {
    const [seed, scale, offset = 0] = f;
    return tensor(Float32Array.from(fill(seed, shape.reduce((a, b) => a * b, 1), scale), (x) => x + offset), { shape });
  }
  if (typeof v === "string") return tensor(floats(v), { shape });
  if (d === "u8") return tensor(Uint8Array.from(v!), { shape });
  return tensor(Float64Array.from(v!), { shape, dtype: d ?? "f32" });
}

// deno-lint-ignore no-explicit-any -- arguments of any function of the face
type Any = any;

const VIEWS: Record<string, (x: Tensor, what: Any) => Tensor> = {
  flip: (x, axes) => x.flip(axes),
  slice: (x, ranges) => x.slice(ranges),
  permute: (x, axes) => x.permute(axes),
  expand: (x, shape) => x.expand(shape),
  reshape: (x, shape) => x.reshape(shape),
};

/** An input through `leaf`'s views. */
function look(leaf: Tensor, { view = [] }: CaseInput): Tensor {
  return view.reduce((y, [name, what]) => VIEWS[name](y, what), leaf);
}

/** An input as the function sees it. */
export function seenAs(input: CaseInput): Tensor {
  return look(leafOf(input), input);
}

/** What a case computes here: the result, then the gradients of the inputs that `g` names. */
export interface Computed {
  readonly y: Tensor;
  readonly gradients: ReadonlyMap<string, Tensor>;
}

/** Builds what a case computes. */
export function build(c: RecordedCase): Computed {
  const leaves: Tensor[] = c.x.map(leafOf);
  const inputs = leaves.map((x, i) => look(x, c.x[i]));
  const put = (value: Any): Any => {
    if (typeof value === "string" && /^\$\d+$/.test(value)) return inputs[Number(value.slice(1))];
    if (Array.isArray(value)) return value.map(put);
    return value !== null && typeof value === "object"
      ? Object.fromEntries(Object.entries(value).map(([k, v]) => [k, put(v)]))
      : value;
  };
  const [space, name] = c.fn.split(".");
  const by: Tensor[] = [...leaves];
  let y: Any;
  if (space === "ops") y = (ops as Any)[name](...c.args.map(put));
  else {
    const module = new (nn as Any)[name](...(c.new ?? []).map(put));
    if (c.state !== undefined) {
      const state = Object.entries(c.state).map(([key, at]): [string, Tensor] => [key, put(at)]);
      module.loadStateDict(new Map(state), { strict: false });
      const parameters = new Map<string, Tensor>(module.namedParameters());
      for (const [key, at] of Object.entries(c.state)) {
        if (parameters.has(key)) by[Number(at.slice(1))] = parameters.get(key)!;
      }
    }
    if (module.train !== undefined) c.train === true ? module.train() : module.eval();
    const args = c.args.map(put);
    if (c.through !== undefined) args[0] = (ops as Any)[c.through](args[0]);
    y = module.forward(...args);
  }
  for (const at of Array.isArray(c.of) ? c.of : c.of === undefined ? [] : [c.of]) y = y[at];
  const names = Object.keys(c.g ?? {});
  if (names.length === 0) return { y, gradients: new Map() };
  const weighed = c.seed === undefined ? y : y.mul(tensor(fill(c.seed, y.size), { shape: y.shape }));
  const grads = grad(weighed.sum(), names.map((k) => by[Number(k)]));
  return { y, gradients: new Map(names.map((k, i) => [k, grads[i]])) };
}

/** How near is near. */
export interface Nearness {
  /** Allowed distance relative to the element, or to the largest one. */
  readonly rel: number;
  /** Whether `rel` is of the largest element. */
  readonly whole?: boolean;
  /** For gradients: where PyTorch's own f32 gives NaN anything will do, where it is infinite anything that is not finite. */
  readonly open?: boolean;
}

const SMALLEST = 1.1754943508222875e-38; // what is below is no number on some adapters
const AS_MANY_DIGITS = 4; // times the distance of PyTorch's own f32

/**
 * What is wrong with `got`: null, or the worst element. The distance allowed is what {@link Nearness} says, the smallest
 * normal f32, or four times the distance of PyTorch's own f32, whichever is largest; or PyTorch's own value is met.
 */
export function difference(
  got: ArrayLike<number>,
  want: Float32Array,
  own: Float32Array,
  { rel, whole = false, open = false }: Nearness,
): string | null {
  if (got.length !== want.length) return `${got.length} elements, recorded ${want.length}`;
  const largest = whole ? want.reduce((most, v) => Number.isFinite(v) ? Math.max(most, Math.abs(v)) : most, 0) : 0;
  const off = (g: number, w: number, digits: number): number => {
    if (g === w || (Number.isNaN(g) && Number.isNaN(w))) return 0;
    if (!Number.isFinite(w) || !Number.isFinite(g)) return Infinity;
    const lost = Number.isFinite(digits) ? digits : 0;
    return Math.abs(g - w) / Math.max(SMALLEST, rel * (whole ? largest : Math.abs(w)), AS_MANY_DIGITS * lost);
  };
  let [worst, most, count] = [-1, 1, 0];
  for (let i = 0; i < want.length; i++) {
    if (open && (Number.isNaN(own[i]) || !(Number.isFinite(own[i]) || Number.isFinite(got[i])))) continue;
    const distance = Math.min(off(got[i], want[i], Math.abs(own[i] - want[i])), off(got[i], own[i], 0));
    if (distance <= 1) continue;
    count++;
    if (worst < 0 || distance > most) [worst, most] = [i, distance];
  }
  if (worst < 0) return null;
  const second = Object.is(own[worst], want[worst]) ? "" : ` (PyTorch in f32: ${own[worst]})`;
  return `${count} of ${want.length} elements, the worst [${worst}]: ${got[worst]}, recorded ${want[worst]}${second}`;
}

/** Runs cases together; gives what is wrong with each that is wrong. */
export async function failures(cases: readonly RecordedCase[], near: Nearness): Promise<string[]> {
  const wrong: string[] = [];
  const built: [RecordedCase, Computed][] = [];
  for (const c of cases) {
    try {
      built.push([c, build(c)]);
    } catch (error) {
      wrong.push(`${nameOf(c)}: ${error}`);
    }
  }
  const results = await readAll(built.flatMap(([, { y, gradients }]) => [y, ...gradients.values()]));
  let at = 0;
  for (const [c, { y, gradients }] of built) {
    const value = results[at++];
    if (`${y.shape}` !== `${c.shape}`) wrong.push(`${nameOf(c)}: shape [${y.shape}], recorded [${c.shape}]`);
    const how = { ...near, whole: c.whole ?? near.whole };
    const off = difference(value, floats(c.y), floats(c.y32 ?? c.y), how);
    if (off !== null) wrong.push(`${nameOf(c)}: ${off}`);
    for (const k of gradients.keys()) {
      const want = c.g![k];
      const bad = difference(results[at++], floats(want), floats(c.g32?.[k] ?? want), { ...how, open: true });
      if (bad !== null) wrong.push(`${nameOf(c)}: gradient of input ${k}: ${bad}`);
    }
  }
  return wrong;
}
