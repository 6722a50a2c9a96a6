/**
 * Where in what a file holds the weights are.
 *
 * @module
 */
import { ConfigError } from "../../base/errors.ts";
import type { FileRanges as Source } from "../../base/file_ranges.ts";
import { broken } from "./archive.ts";
import { TorchTensor } from "./tensors.ts";

type Dict = ReadonlyMap<unknown, unknown>;

/** How deep dictionaries are nested, and how many values they have in all, at most. */
const MOST_DEEP = 64, MOST_VALUES = 2 ** 21;

/**
 * The tensors of a value by name: those of the dictionary at `key`, or of the only one that has some. Dictionaries in it
 * have their names in front, with a dot.
 */
export function namedTensors(value: unknown, key: string | undefined, source: Source): Map<string, TorchTensor> {
  const part = key === undefined ? theOnly(value, source) : partAt(value, key, source);
  if (part instanceof TorchTensor) return new Map([["tensor", part]]);
  const found = new Map<string, TorchTensor>();
  const look = countedLook(source);
  look(part, (path, tensor) => {
    if (found.has(path)) throw broken(source, `it has two tensors named ${JSON.stringify(path)}`);
    found.set(path, tensor);
  });
  if (found.size === 0) {
    throw broken(source, key === undefined ? "it holds no tensors" : `there are no tensors at ${JSON.stringify(key)}`);
  }
  return found;
}

/** Walks through dictionaries and lists; refuses what is nested without end. */
function countedLook(source: Source) {
  let values = 0;
  const look = (value: unknown, see: (path: string, tensor: TorchTensor) => void, path = "", depth = 0): void => {
    if (++values > MOST_VALUES || depth > MOST_DEEP) throw broken(source, "its dictionaries are nested without end");
    if (value instanceof TorchTensor) see(path, value);
    else if (value instanceof Map || Array.isArray(value)) {
      for (const [name, inner] of value.entries()) {
        if (typeof name !== "string" && typeof name !== "number") continue;
        look(inner, see, path === "" ? String(name) : `${path}.${name}`, depth + 1);
      }
    }
  };
  return look;
}

function partAt(value: unknown, key: string, source: Source): unknown {
  let at = value;
  const open = [key];
  while (open.length > 0) {
    const [name] = open;
    if (!(at instanceof Map)) break;
    if (at.has(name)) {
      at = at.get(name);
      open.shift();
      continue;
    }
    // names may have dots in them: the longest that there is wins
    const cuts = [...name.matchAll(/\./g)].map((m) => m.index).reverse();
    const cut = cuts.find((i) => (at as Dict).has(name.slice(0, i)));
    if (cut === undefined) break;
    open.splice(0, 1, name.slice(0, cut), name.slice(cut + 1));
  }
  if (open.length === 0 && (at instanceof Map || at instanceof TorchTensor)) return at;
  const known = value instanceof Map ? [...value.keys()].filter((k) => typeof k === "string").slice(0, 20) : [];
  throw new ConfigError(
    `Cannot read ${source.what} with key ${JSON.stringify(key)}: there is no dictionary of that name` +
      (known.length === 0 ? "" : `, it has ${known.join(", ")}`),
  );
}

/** The value itself where it has tensors, else the only dictionary below names that has. */
function theOnly(value: unknown, source: Source): unknown {
  if (!(value instanceof Map)) return value;
  const all = withTensors(value);
  // a number by itself, such as the best accuracy, makes no weights
  const found = all.some((d) => d.arrays) ? all.filter((d) => d.arrays) : all;
  if (found.length === 1) return found[0].dict;
  if (found.length === 0) return value;
  const names = found.slice(0, 20).map(({ path }) => JSON.stringify(path)).filter((path) => path !== '""');
  throw new ConfigError(
    `Cannot read ${source.what}: tensors are in ${names.join(", ")}; say which are the weights, { key: ${names[0]} }`,
  );
}

interface Holder {
  readonly path: string;
  readonly dict: Dict;
  /** Whether one of its tensors has axes. */
  readonly arrays: boolean;
}

/** Dictionaries that hold tensors, but for those inside of another one. An optimizer's state is by numbers, and not among them. */
function withTensors(value: Dict): Holder[] {
  const found: Holder[] = [], seen = new Set<unknown>();
  const open: { readonly path: string; readonly dict: Dict; readonly depth: number }[] = [];
  open.push({ path: "", dict: value, depth: 0 });
  while (open.length > 0) {
    const { path, dict, depth } = open.shift()!;
    if (seen.has(dict)) continue;
    seen.add(dict);
    const tensors = [...dict.values()].filter((v) => v instanceof TorchTensor);
    const arrays = tensors.some((t) => t.shape.length > 0);
    if (tensors.length > 0) found.push({ path, dict, arrays });
    if (arrays || depth >= MOST_DEEP) continue;
    for (const [name, inner] of dict) {
      if (typeof name !== "string" || !(inner instanceof Map)) continue;
      open.push({ path: path === "" ? name : `${path}.${name}`, dict: inner, depth: depth + 1 });
    }
  }
  return found;
}
