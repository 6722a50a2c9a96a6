/**
 * Published weights.
 *
 * @module
 */
import "../../entry/core.ts";
import "../../entry/vision.ts"; // there by now: bundlers are told, and leave it whole
import { isMissing } from "../../base/host_files.ts";
import { fromFileUrl, join } from "../../base/path.ts";
import { CheckpointError, ConfigError } from "../../base/errors.ts";
import { fmtShape, sameShape } from "../../base/shape.ts";
import { fastaiFolder } from "../../io/fastai_home.ts";
import { fetchCached } from "../../io/fetch_cached.ts";
import { firstOf } from "../../io/misfits.ts";
import type { SafetensorsFile } from "../../io/safetensors.ts";
import { openWeights, readTensors } from "../../io/weights.ts";
import { type Tensor, tensor } from "../../tensor/mod.ts";
import { type Arch, firstConv, type VisionModel } from "./arch.ts";

/** A file with the model's names, safetensors or one that `torch.save` wrote: its path, or its address, which is fetched once. */
export type WeightsSource = string | URL;

/**
 * Loads weights into a model that `arch` made for `nIn` channels, from `source` or from the architecture's own address. The
 * last layer is left as it is where its number of outputs is another one.
 *
 * @throws {ConfigError} If there are no weights for the architecture.
 * @throws {CheckpointError} If the file is for another architecture; it names what does not fit.
 */
export async function loadWeights(arch: Arch, model: VisionModel, nIn: number, source?: WeightsSource): Promise<void> {
  const path = await localPath(arch, source);
  let file: SafetensorsFile;
  try {
    file = await openWeights(path);
  } catch (error) {
    if (!isMissing(error)) throw error;
    throw new CheckpointError(`Cannot load weights from ${path}: there is no such file`, { cause: error });
  }
  model.loadStateDict(await fitting(file, model, nIn, `weights of ${arch.name} from ${path}`), { strict: false });
}

/** The file's tensors that the model takes, checked by name and shape before any is read. */
async function fitting(
  file: SafetensorsFile,
  model: VisionModel,
  nIn: number,
  what: string,
): Promise<Map<string, Tensor>> {
  const own = new Map<string, Tensor>([...model.namedParameters(), ...model.namedBuffers()]);
  const names = new Set(file.names);
  const first = firstConv(model)?.weight;
  const last = [...model.namedParameters()].slice(-2).map(([name]) => name); // the classifier's weight and bias
  const problems: string[] = [];
  const taken: string[] = [];
  for (const [name, { shape }] of own) {
    if (!names.has(name)) {
      // torchvision's older files lack this counter
      if (!name.endsWith("num_batches_tracked")) problems.push(`${name} is missing`);
      continue;
    }
    const found = file.info(name).shape;
    const adapted = own.get(name) === first && nIn !== 3 && sameShape(found, [shape[0], 3, ...shape.slice(2)]);
    if (sameShape(found, shape) || adapted) taken.push(name);
    else if (!last.includes(name)) problems.push(`${name} is ${fmtShape(found)}, not ${fmtShape(shape)}`);
  }
  for (const name of names) if (!own.has(name)) problems.push(`${name} is not in the model`);
  if (problems.length > 0) {
    throw new CheckpointError(`Cannot load ${what}: they are of another architecture, ${firstOf(problems)}`);
  }
  const state = await readTensors(file, taken);
  for (const [name, { shape }] of state) {
    const want = own.get(name)!.shape;
    if (sameShape(shape, want)) continue;
    const { data } = await file.tensor(name);
    state.set(name, tensor(adaptChannels(data, shape, nIn), { shape: want }));
  }
  return state;
}

/**
 * A first weight `[out, 3, kh, kw]` for `nIn` channels: their sum for one, the first two, half as large again, for two, and
 * zeros behind them for more than three.
 */
export function adaptChannels(weight: ArrayLike<number>, shape: readonly number[], nIn: number): Float32Array {
  const [out, cin, kh, kw] = shape;
  const taps = kh * kw;
  const result = new Float32Array(out * nIn * taps);
  for (let o = 0; o < out; o++) {
    for (let c = 0; c < cin; c++) {
      for (let t = 0; t < taps; t++) {
        const value = weight[(o * cin + c) * taps + t];
        if (nIn === 1) result[o * taps + t] += value;
        else if (c < nIn) result[(o * nIn + c) * taps + t] = nIn === 2 ? 1.5 * value : value;
      }
    }
  }
  return result;
}

/** The path of `source`, or of the architecture's weights; what has an address is fetched once into fastai's folder. */
async function localPath(arch: Arch, source: WeightsSource | undefined): Promise<string> {
  if (source === undefined) {
    if (arch.weights === null) {
      throw new ConfigError(
        `Cannot start ${arch.name} from published weights: there are none, use { pretrained: false } or give { weights }`,
      );
    }
    const { url, bytes, sha256 } = arch.weights;
    return await fetchCached(url, {
      dest: join(fastaiFolder("models"), nameIn(url, arch.name)),
      ...(bytes === undefined ? {} : { bytes }),
      ...(sha256 === undefined ? {} : { sha256 }),
    });
  }
  const address = String(source);
  if (address.startsWith("file:")) return fromFileUrl(address);
  if (!/^https?:/.test(address)) return address;
  return await fetchCached(address, { dest: join(fastaiFolder("models"), nameIn(address, arch.name)) });
}

/** The file that an address goes to: its path's parts, of which none leads elsewhere. */
function nameIn(address: string, fallback: string): string {
  const parts = new URL(address).pathname.split("/").map((p) => p.replace(/[^\w.-]/g, "_"));
  const named = parts.filter((p) => p !== "" && !/^\.+$/.test(p) && !["resolve", "main"].includes(p)).slice(-3);
  return named.length === 0 ? `${fallback}.safetensors` : named.join("--");
}
