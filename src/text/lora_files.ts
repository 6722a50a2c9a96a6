/**
 * Files of low-rank changes, as PEFT writes and reads them.
 *
 * @module
 */
import "../entry/core.ts"; // there by now: bundlers are told, and leave it whole
import { writeTextAtomic } from "../base/atomic.ts";
import { CheckpointError } from "../base/errors.ts";
import { files, isMissing } from "../base/host_files.ts";
import { join } from "../base/path.ts";
import { openSafetensors, type SafetensorsFile } from "../io/open_safetensors.ts";
import { hostTensors, readTensor, refuseMisfits, writeSafetensors } from "../io/weights.ts";
import type { Parameter, Tensor } from "../tensor/mod.ts";

/** How PEFT's files call what is inside a model. */
const PREFIX = "base_model.model.";

/** Writes factors by name, and what `config` and the likes of it say. */
export async function writeLora(
  folder: string,
  factors: ReadonlyMap<string, Parameter>,
  config: Readonly<Record<string, unknown>>,
): Promise<void> {
  await files.mkdir(folder, { recursive: true });
  const named = new Map([...factors].map(([name, p]) => [PREFIX + name, p]));
  await writeSafetensors(join(folder, "adapter_model.safetensors"), await hostTensors(named), { format: "pt" });
  const all = {
    peft_type: "LORA",
    task_type: null,
    base_model_name_or_path: null,
    ...config,
    bias: "none",
    use_rslora: false,
    use_dora: false,
    inference_mode: true,
  };
  await writeTextAtomic(join(folder, "adapter_config.json"), `${JSON.stringify(all, null, 2)}\n`);
}

/** Values of all factors. */
export async function readLora(
  folder: string,
  factors: ReadonlyMap<string, Parameter>,
): Promise<(readonly [Parameter, Tensor])[]> {
  const path = join(folder, "adapter_model.safetensors"), file = await open(path);
  const found = new Map<string, string>(), strangers: string[] = [];
  for (const name of file.names) {
    const plain = name.startsWith(PREFIX) ? name.slice(PREFIX.length) : name;
    // the model may stand inside of another one there
    const ours = [...factors.keys()].find((o) => plain === o || plain.endsWith(`.${o}`));
    if (ours === undefined) strangers.push(`${name} is of no changed layer`);
    else found.set(ours, name);
  }
  refuseMisfits(`changes from ${path}`, factors, found, file, strangers);
  return await Promise.all(
    [...found].map(async ([ours, theirs]) => [factors.get(ours)!, await readTensor(file, theirs)] as const),
  );
}

async function open(path: string): Promise<SafetensorsFile> {
  try {
    return await openSafetensors(path);
  } catch (cause) {
    if (!isMissing(cause)) throw cause;
    throw new CheckpointError(`Cannot load changes from ${path}: there is no such file`, { cause });
  }
}
