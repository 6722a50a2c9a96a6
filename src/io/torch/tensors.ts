/**
 * The names that tensors are made by in files of PyTorch, and what they make.
 *
 * @module
 */
import { sizeOf } from "../../base/shape.ts";
import { Global, PickleFault, type PickleRules } from "./pickle.ts";

/** Numbers in a file: an entry of the archive. */
export interface TorchStorage {
  /** Name of the entry, below `data/`. */
  readonly key: string;
  /** Type of the elements, as safetensors call it; those of other names cannot be read. */
  readonly dtype: string;
  /** Number of elements. */
  readonly size: number;
}

/** A tensor: a view of a storage. */
export class TorchTensor {
  /** Takes the view. */
  constructor(
    readonly storage: TorchStorage,
    readonly offset: number,
    readonly shape: readonly number[],
    readonly strides: readonly number[],
  ) {}
}

/** Element types by PyTorch's names, as safetensors call them, and their bytes. */
const DTYPES: Readonly<Record<string, readonly [dtype: string, bytes: number]>> = {
  float64: ["F64", 8],
  float32: ["F32", 4],
  float16: ["F16", 2],
  bfloat16: ["BF16", 2],
  int64: ["I64", 8],
  int32: ["I32", 4],
  int16: ["I16", 2],
  int8: ["I8", 1],
  uint64: ["U64", 8],
  uint32: ["U32", 4],
  uint16: ["U16", 2],
  uint8: ["U8", 1],
  bool: ["BOOL", 1],
  complex32: ["complex32", 4],
  complex64: ["complex64", 8],
  complex128: ["complex128", 16],
  float8_e4m3fn: ["float8_e4m3fn", 1],
  float8_e5m2: ["float8_e5m2", 1],
  float8_e4m3fnuz: ["float8_e4m3fnuz", 1],
  float8_e5m2fnuz: ["float8_e5m2fnuz", 1],
};

/** Classes of storages, and the types of their elements. */
const STORAGES: Readonly<Record<string, string>> = {
  DoubleStorage: "float64",
  FloatStorage: "float32",
  HalfStorage: "float16",
  BFloat16Storage: "bfloat16",
  LongStorage: "int64",
  IntStorage: "int32",
  ShortStorage: "int16",
  CharStorage: "int8",
  ByteStorage: "uint8",
  BoolStorage: "bool",
  ComplexFloatStorage: "complex64",
  ComplexDoubleStorage: "complex128",
  UntypedStorage: "uint8",
};

/** Bytes of an element, by the name that {@link TorchStorage} has. */
export const BYTES: ReadonlyMap<string, number> = new Map(Object.values(DTYPES));

/** Classes that only stand as arguments. */
const PLAIN: ReadonlySet<string> = new Set([
  "torch.Tensor",
  "torch.nn.parameter.Parameter",
  "torch.nn.parameter.Buffer",
]);

type Rule = (args: readonly unknown[]) => unknown;

/** Something of no account here, such as a device. */
const NOTHING: object = Object.freeze({});

const RULES: Readonly<Record<string, Rule>> = {
  "collections.OrderedDict": ordered,
  "torch._utils._rebuild_tensor": (args) => view(args),
  "torch._utils._rebuild_tensor_v2": (args) => view(args),
  "torch._utils._rebuild_tensor_v3": (args) => typed(args),
  "torch._utils._rebuild_parameter": ([data]) => tensor(data),
  "torch._utils._rebuild_parameter_with_state": ([data]) => tensor(data),
  "torch._tensor._rebuild_from_type_v2": rebuiltAsType,
  "torch.Size": ([sizes]) => sizes,
  "torch.device": () => NOTHING,
  "torch.serialization._get_layout": () => NOTHING,
  "__builtin__.set": ([items]) => Array.isArray(items) ? items : [],
  "builtins.set": ([items]) => Array.isArray(items) ? items : [],
};

/** What pickles of tensors are allowed. */
export const TENSORS: PickleRules = {
  knows: (name) => Object.hasOwn(RULES, name) || PLAIN.has(name) || dtypeOf(name) !== null || storageOf(name) !== null,
  make: (name, args) => {
    if (!Object.hasOwn(RULES, name)) throw new PickleFault(`it calls ${name}`);
    return RULES[name](args);
  },
  persistent: (id) => {
    const [kind, type, key, , size] = Array.isArray(id) ? id : [];
    const dtype = type instanceof Global ? storageOf(type.name) : null;
    if (kind !== "storage" || dtype === null || typeof key !== "string" || !isSize(size)) {
      throw new PickleFault("it refers to something outside that is no storage");
    }
    const storage: TorchStorage = { key, dtype: DTYPES[dtype][0], size };
    return storage;
  },
};

function dtypeOf(name: string): string | null {
  const own = name.startsWith("torch.") ? name.slice("torch.".length) : "";
  return Object.hasOwn(DTYPES, own) ? own : null;
}

function storageOf(name: string): string | null {
  const own = /^torch(?:\.storage)?\.(\w+)$/.exec(name)?.[1] ?? "";
  return Object.hasOwn(STORAGES, own) ? STORAGES[own] : null;
}

function isSize(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function sizes(value: unknown): number[] {
  if (!Array.isArray(value) || !value.every(isSize) || value.length > 64) {
    throw new PickleFault("a tensor's sizes or strides are no whole numbers from 0");
  }
  return [...value];
}

function view([storage, offset, shape, strides]: readonly unknown[]): TorchTensor {
  if (!isStorage(storage) || !isSize(offset)) throw new PickleFault("a tensor has no storage");
  const made = new TorchTensor(storage, offset, sizes(shape), sizes(strides));
  if (made.shape.length !== made.strides.length) throw new PickleFault("a tensor has not a stride for each size");
  const elements = sizeOf(made.shape);
  if (!Number.isSafeInteger(elements)) throw new PickleFault(`a tensor has the impossible shape [${made.shape}]`);
  const last = made.shape.reduce((at, n, i) => at + (n - 1) * made.strides[i], offset);
  if (elements > 0 && !(last < storage.size)) {
    throw new PickleFault(`a tensor of shape [${made.shape}] goes beyond its storage of ${storage.size} elements`);
  }
  return made;
}

/** A tensor whose storage counts bytes and says no type, which stands behind the hooks. */
function typed(args: readonly unknown[]): TorchTensor {
  const [storage, offset, shape, strides, , , type] = args;
  const dtype = type instanceof Global ? dtypeOf(type.name) : null;
  if (!isStorage(storage) || dtype === null) throw new PickleFault("a tensor has no storage");
  const [name, bytes] = DTYPES[dtype];
  return view([{ ...storage, dtype: name, size: Math.floor(storage.size / bytes) }, offset, shape, strides]);
}

function isStorage(value: unknown): value is TorchStorage {
  return typeof value === "object" && value !== null && "key" in value && "dtype" in value;
}

function tensor(value: unknown): TorchTensor {
  if (value instanceof TorchTensor) return value;
  throw new PickleFault("a parameter is no tensor");
}

/** A tensor with attributes of its own: `func`, `type`, its arguments, the attributes. */
function rebuiltAsType([func, type, args]: readonly unknown[]): unknown {
  const plain = type instanceof Global && PLAIN.has(type.name) && Array.isArray(args);
  if (!plain || !(func instanceof Global) || !func.name.startsWith("torch._utils.")) {
    throw new PickleFault("a tensor is of a class of somebody's own");
  }
  return tensor(TENSORS.make(func.name, args));
}

function ordered([items = []]: readonly unknown[]): Map<unknown, unknown> {
  if (!Array.isArray(items) || !items.every((i) => Array.isArray(i) && i.length === 2)) {
    throw new PickleFault("a dictionary's items are no pairs");
  }
  return new Map(items as [unknown, unknown][]);
}
