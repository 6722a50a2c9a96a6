/**
 * Files that `torch.save` wrote, as weights: tensors and their names, and nothing that runs.
 *
 * @module
 * @see https://pytorch.org/docs/stable/notes/serialization.html
 */
import "../../entry/core.ts"; // there by now: bundlers are told, and leave it whole
import { ConfigError, DtypeError } from "../../base/errors.ts";
import { sizeOf } from "../../base/shape.ts";
import { decodeNumbers, type SafetensorsFile } from "../safetensors.ts";
import { FILE_DTYPE_BYTES, type FileDtype } from "../safetensors_header.ts";
import type { FileRanges as Source } from "../../base/file_ranges.ts";
import { Archive, broken } from "./archive.ts";
import { PickleFault, unpickle } from "./pickle.ts";
import { namedTensors } from "./state.ts";
import { BYTES, TENSORS, type TorchTensor } from "./tensors.ts";

/** Options of files of PyTorch. */
export interface TorchOptions {
  /**
   * Where in a checkpoint the weights are, as `"state_dict"` or `"ema.model"`. By default the one dictionary that holds
   * tensors is taken.
   */
  readonly key?: string;
}

/** Longest pickle that is read, in bytes: names and shapes of a million tensors take less. */
const MOST_PICKLE = 100_000_000;
/** Most elements that all tensors may have beyond those of their storages, by strides of 0 and the like. */
const MOST_REPEATED = 2 ** 26;

/** What is to be typed in Python, for files that are no tensors by themselves. */
const SAVE_AGAIN = 'save the weights alone in Python: torch.save(model.state_dict(), "weights.pth")';

/** Opens a file and finds its tensors. Their numbers are read when asked for. */
export async function readTorch(source: Source, { key }: TorchOptions = {}): Promise<SafetensorsFile> {
  await checkForm(source);
  const archive = await Archive.open(source);
  const { root, little } = await rootOf(archive, source);
  const text = await archive.read(`${root}/data.pkl`, 0, archive.size(`${root}/data.pkl`)!);
  let value: unknown;
  try {
    value = unpickle(text, TENSORS);
  } catch (cause) {
    if (!(cause instanceof PickleFault)) throw cause;
    const refused = /^it (refers to|calls|has the instruction) /.test(cause.message);
    const why = refused
      ? `${cause.message}, and nothing but tensors is read; ${SAVE_AGAIN}`
      : `its pickle is damaged, ${cause.message}`;
    throw broken(source, why, cause);
  }
  const tensors = namedTensors(value, key, source);
  checkSizes(tensors, archive, root, source);
  const entry = (name: string): TorchTensor => {
    const found = tensors.get(name);
    if (found !== undefined) return found;
    throw new ConfigError(
      `Cannot find tensor ${JSON.stringify(name)} in ${source.what}: it has ${tensors.size} others`,
    );
  };
  return {
    names: [...tensors.keys()],
    metadata: new Map(),
    info: (name) => ({ dtype: entry(name).storage.dtype, shape: entry(name).shape }),
    tensor: async (name) => {
      const tensor = entry(name), { dtype } = tensor.storage, what = `tensor ${JSON.stringify(name)} of ${source.what}`;
      if (!Object.hasOwn(FILE_DTYPE_BYTES, dtype)) {
        throw new DtypeError(`Cannot read ${what}: its type ${dtype} has no counterpart here`);
      }
      const bytes = await elements(archive, root, tensor, little);
      return { shape: tensor.shape, ...decodeNumbers(bytes, dtype as FileDtype, what) };
    },
  };
}

/** Refuses other kinds of files, with what to do. */
async function checkForm(source: Source): Promise<void> {
  const first = await source.range(0, Math.min(source.size, 512));
  const starts = (...bytes: number[]) => bytes.every((b, i) => first[i] === b);
  const text = String.fromCharCode(...first);
  const rewrite = 'write it anew in Python: torch.save(torch.load("old.pth", map_location="cpu"), "new.pth")';
  if (starts(0x50, 0x4b)) return;
  if (text.slice(257, 262) === "ustar") {
    throw broken(source, `it is of PyTorch before 0.1.10, a tar archive; ${rewrite}`);
  }
  if (starts(0x80) && first.length > 3) {
    const legacy = text.includes("\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19");
    throw broken(
      source,
      legacy ? `it is of PyTorch before 1.6, no zip archive; ${rewrite}` : `it is a pickle by itself; ${SAVE_AGAIN}`,
    );
  }
  if (text.startsWith("version https://git-lfs")) {
    throw broken(source, 'it only says where Git LFS keeps the file; fetch that with "git lfs pull"');
  }
  throw broken(source, "it is no zip archive");
}

/** The folder that all entries are in, and whether numbers are little-endian. */
async function rootOf(archive: Archive, source: Source): Promise<{ readonly root: string; readonly little: boolean }> {
  const names = [...archive.names];
  const pickles = names.filter((name) => /^[^/]+\/data\.pkl$/.test(name));
  if (pickles.length !== 1) throw broken(source, "it has no data.pkl: it is another kind of zip archive");
  const root = pickles[0].slice(0, -"/data.pkl".length);
  if (names.some((name) => name === `${root}/constants.pkl` || name.startsWith(`${root}/code/`))) {
    throw broken(
      source,
      'it is a program of TorchScript; save its weights in Python: torch.save(torch.jit.load("a.pt").state_dict(), "b.pth")',
    );
  }
  const size = archive.size(`${root}/data.pkl`)!;
  if (size > MOST_PICKLE) throw broken(source, `its data.pkl has ${size} bytes, more than ${MOST_PICKLE}`);
  const order = archive.size(`${root}/byteorder`);
  if (order === null) return { root, little: true }; // as files had it before 2.1
  const text = order > 16 ? "" : String.fromCharCode(...await archive.read(`${root}/byteorder`, 0, order));
  if (text !== "little" && text !== "big") throw broken(source, "its byteorder is neither little nor big");
  return { root, little: text === "little" };
}

/** Storages are as long as is said, and views do not make much out of little. */
function checkSizes(tensors: ReadonlyMap<string, TorchTensor>, archive: Archive, root: string, source: Source): void {
  let repeated = 0;
  for (const [name, { storage, shape }] of tensors) {
    const bytes = archive.size(`${root}/data/${storage.key}`), width = BYTES.get(storage.dtype)!;
    if (bytes === null) throw broken(source, `the numbers of its tensor ${JSON.stringify(name)} are missing`);
    if (bytes < storage.size * width) {
      throw broken(
        source,
        `the storage of its tensor ${JSON.stringify(name)} has ${bytes} bytes, for ${storage.size} of ${storage.dtype}`,
      );
    }
    repeated += Math.max(0, sizeOf(shape) - storage.size);
  }
  if (repeated > MOST_REPEATED) {
    throw broken(source, `its tensors repeat their numbers ${repeated} times, more than ${MOST_REPEATED}`);
  }
}

/** The elements of a tensor in row-major order, little-endian. */
async function elements(archive: Archive, root: string, tensor: TorchTensor, little: boolean): Promise<Uint8Array> {
  const { storage, offset, shape, strides } = tensor, width = BYTES.get(storage.dtype)!, count = sizeOf(shape);
  if (count === 0) return new Uint8Array(0);
  const last = shape.reduce((at, n, i) => at + (n - 1) * strides[i], offset);
  const part = await archive.read(`${root}/data/${storage.key}`, offset * width, (last + 1) * width);
  const bytes = isRowMajor(shape, strides) ? aligned(part) : gathered(aligned(part), width, shape, strides);
  if (!little && width > 1) { for (let i = 0; i < bytes.length; i += width) bytes.subarray(i, i + width).reverse(); }
  return bytes;
}

/** Bytes that begin at the start of their buffer, and are all of it. */
function aligned(bytes: Uint8Array): Uint8Array {
  return bytes.byteOffset === 0 && bytes.byteLength === bytes.buffer.byteLength ? bytes : bytes.slice();
}

function isRowMajor(shape: readonly number[], strides: readonly number[]): boolean {
  let step = 1;
  for (let i = shape.length - 1; i >= 0; step *= shape[i--]) if (shape[i] !== 1 && strides[i] !== step) return false;
  return true;
}

/** Elements of `width` bytes by their strides. */
function gathered(bytes: Uint8Array, width: number, shape: readonly number[], strides: readonly number[]): Uint8Array {
  const Words = width === 8 ? BigUint64Array : width === 4 ? Uint32Array : width === 2 ? Uint16Array : Uint8Array;
  const from = new Words(bytes.buffer as ArrayBuffer), out = new Words(sizeOf(shape));
  const rank = shape.length, place = new Array<number>(rank).fill(0);
  const size = shape[rank - 1], step = strides[rank - 1];
  let at = 0;
  for (let row = 0; row < out.length; row += size) {
    for (let i = 0; i < size; i++) out[row + i] = from[at + i * step];
    for (let axis = rank - 2; axis >= 0; axis--) { // to the next row
      at += strides[axis];
      if (++place[axis] < shape[axis]) break;
      at -= shape[axis] * strides[axis];
      place[axis] = 0;
    }
  }
  return new Uint8Array(out.buffer);
}
