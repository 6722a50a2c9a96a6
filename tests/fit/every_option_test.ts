/**
 * Whatever takes options refuses a name that it does not have, a value that the option can't be, and what is no object:
 * `deno run` checks no types. What takes options is read off the documentation, so that nothing new is forgotten.
 */
import { assert, assertEquals } from "@std/assert";
import * as anneal from "../../mod.ts";
import { AnnealError, ConfigError, tensor } from "../../mod.ts";
import { checkOptions, flag, num } from "../../src/base/options.ts";

// --- what `deno doc --json` says

interface TsType {
  readonly kind: string;
  // deno-lint-ignore no-explicit-any
  readonly value?: any;
}
interface Param {
  readonly kind: string;
  readonly name?: string;
  readonly left?: Param;
  readonly tsType?: TsType;
}
interface Property {
  readonly name: string;
  readonly optional: boolean;
  readonly tsType?: TsType;
}
interface Declaration {
  readonly kind: string;
  // deno-lint-ignore no-explicit-any
  readonly def: any;
}
interface Documented {
  readonly name: string;
  readonly declarations: readonly Declaration[];
}

const root = new URL("../../", import.meta.url);

async function documentedIn(module: string): Promise<readonly Documented[]> {
  const { stdout, success } = await new Deno.Command(Deno.execPath(), {
    args: ["doc", "--json", new URL(module, root).href],
  }).output();
  assert(success);
  const { nodes } = JSON.parse(new TextDecoder().decode(stdout)) as {
    nodes: Record<string, { symbols: readonly Documented[] }>;
  };
  return Object.values(nodes)[0].symbols;
}

const own = await documentedIn("mod.ts"), layers = await documentedIn("src/nn/mod.ts");
const operations = await documentedIn("src/tensor/ops.ts");
const interfaces = new Map<string, { properties?: readonly Property[]; extends?: readonly TsType[] }>();
for (const { name, declarations } of [...own, ...layers, ...operations]) {
  for (const d of declarations) if (d.kind === "interface") interfaces.set(name, d.def);
}

const typeOf = (p: Param): TsType | undefined => p.tsType ?? p.left?.tsType;
const nameOf = (t: TsType): string => String(t.value?.typeName ?? "").split(".").at(-1)!;

/** The properties of a type that stands for options; null where it is something else. */
function optionsOf(t: TsType | undefined): readonly Property[] | null {
  if (t === undefined) return null;
  if (t.kind === "typeLiteral") {
    return (t.value.properties as Property[]).every((p) => p.optional) ? t.value.properties : null;
  }
  if (t.kind === "intersection") {
    const parts = (t.value as TsType[]).map(optionsOf);
    return parts.some((p) => p === null) ? null : parts.flatMap((p) => p!);
  }
  if (t.kind !== "typeRef") return null;
  const name = nameOf(t);
  const found = interfaces.get(name);
  if (found === undefined || !/Options$/.test(name) || name === "ErrorOptions") return null;
  return [...found.properties ?? [], ...(found.extends ?? []).flatMap((e) => optionsOf(e) ?? [])];
}

// --- how each is called

// deno-lint-ignore no-explicit-any
type Any = any;
interface Case {
  readonly what: string;
  readonly properties: readonly Property[];
  readonly call: (options: unknown) => unknown;
}

/** Arguments in front of the options: what is checked only after them may be anything. */
function before(params: readonly Param[], count: number): unknown[] {
  return params.slice(0, count).map((p) => {
    const t = typeOf(p);
    if (t?.kind === "keyword") return t.value === "number" ? 1 : t.value === "string" ? "x" : undefined;
    if (t?.kind === "typeRef" && nameOf(t) === "Tensor") return tensor([1]);
    return undefined;
  });
}

const cases: Case[] = [];

function add(what: string, params: readonly Param[], call: (args: unknown[]) => unknown): void {
  params.forEach((param, i) => {
    const properties = optionsOf(typeOf(param));
    if (properties === null || param.kind === "object" && i === 0) return;
    cases.push({ what, properties, call: (options) => call([...before(params, i), options]) });
  });
}

function addAll(symbols: readonly Documented[], values: Any, prefix: string): void {
  for (const { name, declarations } of symbols) {
    const value: Any = values[name];
    const overloaded = declarations.filter((d) => d.kind === "function").length > 1;
    for (const { kind, def } of overloaded ? declarations.slice(0, -1) : declarations) { // not what implements them all
      if (kind === "function") add(prefix + name, def.params, (args) => value(...args));
      if (kind === "variable" && def.tsType?.kind === "typeRef") {
        const type = nameOf(def.tsType);
        if (type === "OptFunc") {
          cases.push({
            what: prefix + name,
            properties: [],
            call: (o) => value([new anneal.Parameter(tensor([1]))], o),
          });
        }
        if (type === "Arch") cases.push({ what: prefix + name, properties: [], call: (o) => value(o) });
      }
      if (kind !== "class" || value === undefined) continue; // exported as a type only
      for (const c of def.constructors ?? []) {
        if (c.accessibility === "private") continue;
        const Class = def.isAbstract ? class extends value {} : value;
        add(`new ${prefix}${name}`, c.params, (args) => new Class(...args));
      }
      for (const m of def.methods ?? []) {
        // a tensor that is there: its methods look at what they compute with before the options
        const whose = m.isStatic ? value : value === anneal.Tensor ? tensor([1]) : Object.create(value.prototype);
        add(
          `${prefix}${name}.${m.name}`,
          m.functionDef.params,
          (args) => value === whose ? value[m.name](...args) : value.prototype[m.name].apply(whose, args),
        );
      }
    }
  }
}

addAll(own, anneal, "");
addAll(layers, anneal.nn, "nn.");
addAll(operations, anneal.ops, "ops.");

/** The error of a call; null where there is none. */
async function errorOf(call: () => unknown): Promise<unknown> {
  try {
    await call();
    return null;
  } catch (error) {
    return error;
  }
}

/** What is wrong with the answer to wrong options, in words; null where it is an error that names them. */
async function fault({ what, call }: Case, options: unknown, names: string): Promise<string | null> {
  const error = await errorOf(() => call(options));
  if (error instanceof ConfigError && error.message.includes(names)) return null;
  return `${what}: ${error === null ? "taken in silence" : String(error)}`;
}

Deno.test("there are options to check", () => {
  assert(cases.length > 200, `${cases.length}`);
});

Deno.test("an unknown option is an error wherever there are options", async () => {
  const faults = [];
  for (const c of cases) faults.push(await fault(c, { noSuchOption: 1 }, "noSuchOption"));
  assertEquals(faults.filter((f) => f !== null), []);
});

Deno.test("what is no object is no options", async () => {
  const faults = [];
  for (const c of cases) {
    if (/\.arange$|^arange$/.test(c.what)) continue; // its second argument may be a number
    faults.push(await fault(c, 17, "17"));
  }
  assertEquals(faults.filter((f) => f !== null), []);
});

/** A value that a type does not have; undefined where that depends on more than the type's form. */
function wrongFor(t: TsType | undefined): unknown {
  if (t === undefined) return undefined;
  const plain = (u: TsType): boolean =>
    ["keyword", "literal", "array"].includes(u.kind) || u.kind === "typeOperator" && plain(u.value.tsType) ||
    u.kind === "union" && (u.value as TsType[]).every(plain);
  if (!plain(t) || t.kind === "keyword" && ["any", "unknown", "object"].includes(t.value)) return undefined;
  return t.kind === "keyword" && t.value === "number" ? "0.1" : () => 0;
}

Deno.test("an option of the wrong kind is an error that names it", async () => {
  const faults = [];
  let count = 0;
  for (const c of cases) {
    for (const { name, tsType } of c.properties) {
      const wrong = wrongFor(tsType);
      if (wrong === undefined) continue;
      count++;
      faults.push(await fault(c, { [name]: wrong }, name));
    }
  }
  assert(count > 400, `${count}`);
  assertEquals(faults.filter((f) => f !== null), []);
});

Deno.test("names of other libraries are understood", () => {
  const suggestion = (name: string, known: readonly string[]): string | undefined => {
    try {
      checkOptions<Record<string, number>>("try", { [name]: 1 }, Object.fromEntries(known.map((k) => [k, num])));
    } catch (error) {
      assert(error instanceof AnnealError);
      return /did you mean (.*)\?/.exec(error.message)?.[1];
    }
  };
  assertEquals(suggestion("batch_size", ["seed", "bs", "path"]), "bs");
  assertEquals(suggestion("batchSize", ["seed", "bs", "path"]), "bs");
  assertEquals(suggestion("valid_pct", ["seed", "validPct"]), "validPct");
  assertEquals(suggestion("dim", ["keepdim", "axis"]), "axis");
  assertEquals(suggestion("label_smoothing", ["eps", "weight"]), "eps");
  assertEquals(suggestion("label_smoothing", ["labelSmoothing", "weight"]), "labelSmoothing");
  assertEquals(suggestion("max_lr", ["lrMax", "div"]), "lrMax");
  assertEquals(suggestion("strides", ["stride", "padding"]), "stride");
  assertEquals(suggestion("gama", ["gamma", "weight"]), "gamma");
  assertEquals(suggestion("wholly different", ["bs"]), undefined);
});

Deno.test("an option that is undefined counts as left out", () => {
  checkOptions<{ readonly a?: boolean }>("try", { a: undefined }, { a: flag });
});
