/**
 * Modules: layers and models. What is trained is found in a module's own fields.
 *
 * @module
 */
import type { LayerJson } from "../base/json.ts";
import { ConfigError } from "../base/errors.ts";
import { checkOptions, flag, refuseArguments } from "../base/options.ts";
import { fmtShape, sameShape } from "../base/shape.ts";
import { assignVariables, Buffer, Parameter, snapshots, type Tensor, type Variable } from "../tensor/mod.ts";

/** Options of {@link Module.loadStateDict}. */
export interface LoadOptions {
  /**
   * Whether names and shapes must match exactly; true by default. Otherwise what matches is taken over, everything else
   * stays as it is, and the {@link LoadReport} says which is which.
   */
  readonly strict?: boolean;
}

/** What {@link Module.loadStateDict} did not take over; all empty where everything matched. */
export interface LoadReport {
  /** Names of the module that the state lacks. */
  readonly missing: readonly string[];
  /** Names of the state that the module lacks. */
  readonly unexpected: readonly string[];
  /** Names that both have, with different shapes. */
  readonly misshapen: readonly string[];
}

/**
 * How the names and shapes of a state differ from those of a module.
 *
 * @param what The module, for errors.
 * @throws ConfigError naming all differences, where there are some and `strict` is true.
 */
export function compareState(
  own: ReadonlyMap<string, Shaped>,
  state: ReadonlyMap<string, Shaped>,
  { strict = true, what }: LoadOptions & { readonly what: string },
): LoadReport {
  const missing = [...own.keys()].filter((name) => !state.has(name));
  const unexpected = [...state.keys()].filter((name) => !own.has(name));
  const misshapen = [...own].flatMap(([name, { shape }]) => {
    const given = state.get(name)?.shape;
    return given === undefined || sameShape(given, shape) ? [] : [name];
  });
  if (strict && missing.length + unexpected.length + misshapen.length > 0) {
    const shapes = misshapen.map((n) => `${n} (${fmtShape(state.get(n)!.shape)} for ${fmtShape(own.get(n)!.shape)})`);
    const problems = [
      ...(missing.length > 0 ? [`missing ${missing.join(", ")}`] : []),
      ...(unexpected.length > 0 ? [`unexpected ${unexpected.join(", ")}`] : []),
      ...(shapes.length > 0 ? [`of another shape ${shapes.join(", ")}`] : []),
    ];
    throw new ConfigError(`Cannot load the state into ${what}: ${problems.join("; ")}`);
  }
  return { missing, unexpected, misshapen };
}

interface Shaped {
  readonly shape: readonly number[];
}

/**
 * A layer or model: `forward` makes outputs of inputs. Parameters and modules are found in the own enumerable fields, in
 * order of definition, through arrays, plain objects and Maps, each once; private `#fields` are not seen.
 *
 * @example
 * ```ts ignore
 * class Line extends nn.Module {
 *   readonly a: Parameter = new nn.Parameter(tensor(0.5));
 *   override forward(x: Tensor): Tensor {
 *     return x.mul(this.a);
 *   }
 * }
 * ```
 */
export abstract class Module<I extends unknown[] = [Tensor], O = Tensor> {
  /** Whether the module is being trained: dropout drops, batch norm uses the batch. Set by {@link Module.train}. */
  training: boolean = true;
  readonly #names = new Map<unknown, string>();

  /** Takes no arguments: a class whose constructor does has one of its own, which gives none of them on. */
  constructor(...none: never[]) {
    refuseArguments(this, none);
  }

  /** What the module makes of its inputs. */
  abstract forward(...inputs: I): O;

  /** A tensor that the module keeps and updates by itself, under `name` in the state. */
  protected buffer(name: string, value: Tensor): Buffer {
    return this.named(name, new Buffer(value));
  }

  /** `part`, which a field of another name holds and which stands under `name` in the state. */
  protected named<T extends Variable | AnyModule>(name: string, part: T): T {
    this.#names.set(part, name);
    return part;
  }

  // --- what is inside

  /** Parameters by name, such as "0.weight"; a shared one under its first name. */
  namedParameters(): Map<string, Parameter> {
    const found = new Map<string, Parameter>();
    this.#visit("", new Set([this]), (name, value) => {
      if (value instanceof Parameter) found.set(name, value);
    });
    return found;
  }

  /** Parameters, each once. */
  parameters(): Parameter[] {
    return [...this.namedParameters().values()];
  }

  /** Buffers by name, such as "1.running_mean". */
  namedBuffers(): Map<string, Buffer> {
    const found = new Map<string, Buffer>();
    this.#visit("", new Set([this]), (name, value) => {
      if (value instanceof Buffer) found.set(name, value);
    });
    return found;
  }

  /** This module under the name "", and all modules inside, outer ones first. */
  namedModules(): Map<string, AnyModule> {
    const found = new Map<string, AnyModule>([["", this]]);
    this.#visit("", new Set([this]), (name, value) => {
      if (value instanceof Module) found.set(name, value);
    });
    return found;
  }

  /** This module and all modules inside. */
  modules(): AnyModule[] {
    return [...this.namedModules().values()];
  }

  /** Modules directly inside. */
  children(): AnyModule[] {
    const found: AnyModule[] = [];
    const seen = new Set<unknown>();
    for (const [, value] of entriesOf(this)) {
      if (value instanceof Module && !seen.has(value)) {
        seen.add(value);
        found.push(value);
      }
    }
    return found;
  }

  #visit(prefix: string, seen: Set<unknown>, see: (name: string, value: Variable | AnyModule) => void): void {
    for (const [key, value] of entriesOf(this)) {
      if (seen.has(value)) continue;
      seen.add(value);
      const name = prefix + (this.#names.get(value) ?? key);
      see(name, value);
      if (value instanceof Module) value.#visit(`${name}.`, seen, see);
    }
  }

  // --- modes

  /** Puts the module and all inside into training mode, or out of it. */
  train(mode: boolean = true): this {
    for (const m of this.modules()) m.training = mode;
    return this;
  }

  /** Puts the module and all inside into evaluation mode. */
  eval(): this {
    return this.train(false);
  }

  /** Calls `fn` with every module inside, innermost first, and at last with this one. */
  apply(fn: (module: AnyModule) => void): this {
    for (const m of this.modules().reverse()) fn(m);
    return this;
  }

  /** Forgets all gradients. */
  zeroGrad(): void {
    for (const p of this.parameters()) p.grad = null;
  }

  // --- state

  /** Copies of all parameters and buffers by name, which later training leaves alone. */
  stateDict(): Map<string, Tensor> {
    const all = this.#variables();
    const copies = snapshots([...all.values()]);
    return new Map([...all.keys()].map((name, i) => [name, copies[i]]));
  }

  /**
   * Takes over values by name, in place. All problems are told at once, and nothing is changed if there is one.
   *
   * @returns What was not taken over; without `strict` that is no error.
   * @throws ConfigError naming missing, unexpected and misshapen entries.
   */
  loadStateDict(state: ReadonlyMap<string, Tensor>, options: LoadOptions = {}): LoadReport {
    const { strict = true } = checkOptions("load a state", options, { strict: flag });
    const all = this.#variables();
    const report = compareState(all, state, { strict, what: this.constructor.name });
    const left = new Set([...report.missing, ...report.misshapen]);
    assignVariables(
      [...all].filter(([name]) => !left.has(name)).map(([name, own]) => [own, state.get(name)!] as const),
    );
    return report;
  }

  /**
   * The layer as plain data: its kind, and what its constructor needs, without weights. Null, the default, for layers that
   * are somebody's own code: exported learners then need it again as `{ model }`.
   */
  toJSON(): LayerJson | null {
    return null;
  }

  #variables(): Map<string, Variable> {
    const found = new Map<string, Variable>();
    this.#visit("", new Set([this]), (name, value) => {
      if (!(value instanceof Module)) found.set(name, value);
    });
    return found;
  }
}

/** A module whatever it takes and gives. */
// deno-lint-ignore no-explicit-any
export type AnyModule = Module<any, unknown>;

type Found = Parameter | Buffer | AnyModule;

/** Tensors and modules in the fields of `holder`, with their names; containers are looked through. */
function* entriesOf(holder: object): Generator<[string, Found]> {
  for (const [key, value] of Object.entries(holder)) yield* entriesIn(key, value, 0);
}

function* entriesIn(key: string, value: unknown, depth: number): Generator<[string, Found]> {
  if (value instanceof Parameter || value instanceof Buffer || value instanceof Module) yield [key, value];
  else if (typeof value !== "object" || value === null || depth > 8) return;
  else if (Array.isArray(value)) {
    for (const [i, v] of value.entries()) {
      yield* entriesIn(`${key}.${i}`, v, depth + 1);
    }
  } else if (value instanceof Map) { for (const [k, v] of value) yield* entriesIn(`${key}.${k}`, v, depth + 1); }
  else if (Object.getPrototypeOf(value) === Object.prototype || Object.getPrototypeOf(value) === null) {
    for (const [k, v] of Object.entries(value)) yield* entriesIn(`${key}.${k}`, v, depth + 1);
  }
}
