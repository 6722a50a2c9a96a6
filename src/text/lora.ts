/**
 * Low-rank adaptation: a model's own weights stay, and small changes of some of its layers are trained.
 *
 * @module
 * @see Hu et al. 2021, arXiv:2106.09685
 */
import { join } from "../base/path.ts";
import { ConfigError } from "../base/errors.ts";
import { checkOptions, num, type OptionTable, texts, whole } from "../base/options.ts";
import type { AnyModule } from "../nn/mod.ts";
import { aGenerator, assignVariables, type Parameter, type Rng } from "../tensor/mod.ts";
import { SequenceEncoder } from "./architecture.ts";
import { type ChangedLayer, changeLayer, hasLora, isChangeable, type LoraParts, restoreLayer } from "./lora_layer.ts";
import { Conv1D } from "./models/parts.ts";
import { HubConfig } from "./weights.ts";

/** Options of {@link applyLora}; PEFT's names of them are in brackets. */
export interface LoraOptions {
  /** Size between the two factors of a change (`r`); 8 by default. */
  readonly rank?: number;
  /** Changes are multiplied by `alpha / rank` (`lora_alpha`); 16 by default (PEFT: 8). */
  readonly alpha?: number;
  /** Probability that a feature of a change's input is dropped, in training (`lora_dropout`); 0 by default. */
  readonly dropout?: number;
  /**
   * Names of the layers to change (`target_modules`): whole ones, or their last part. By default `query` and `value`, or GPT-2's
   * `c_attn`, whichever the model has.
   */
  readonly targets?: readonly string[];
  /** Where the first factors, and what is dropped, come from; the default generator. */
  readonly rng?: Rng;
}

const OPTIONS: OptionTable<LoraOptions> = { rank: whole(1), alpha: num, dropout: num, targets: texts, rng: aGenerator };

/** Layers that PEFT changes in these models, too. */
const DEFAULT_TARGETS = [["query", "value"], ["c_attn"], ["q_proj", "v_proj"]];

interface Change {
  readonly name: string;
  readonly layer: ChangedLayer;
  readonly parts: LoraParts;
}

/** The changes of a model's layers. {@link applyLora} and {@link loadLora} make it. */
export class Lora {
  #changes: readonly Change[];
  readonly #base: AnyModule;

  /** @internal */
  constructor(
    base: AnyModule,
    changes: readonly Change[],
    /** Size between the two factors of a change. */
    readonly rank: number,
    /** Changes are multiplied by `alpha / rank`. */
    readonly alpha: number,
    /** Probability that a feature of a change's input is dropped. */
    readonly dropout: number,
    /** Last parts of the names of the changed layers. */
    readonly targets: readonly string[],
  ) {
    this.#base = base;
    this.#changes = changes;
  }

  /** Names of the changed layers; none once they are merged or removed. */
  get layers(): readonly string[] {
    return this.#changes.map(({ name }) => name);
  }

  /** The factors of the changes: what is trained, beside heads on top of the model. */
  parameters(): Parameter[] {
    return this.#changes.flatMap(({ parts: { a, b } }) => [a.weight, b.weight]);
  }

  #factors(): Map<string, Parameter> {
    return new Map(
      this.#changes.flatMap(({ name, parts: { a, b } }) => [
        [`${name}.lora_A.weight`, a.weight],
        [`${name}.lora_B.weight`, b.weight],
      ]),
    );
  }

  /**
   * Writes `adapter_model.safetensors` and `adapter_config.json` into a folder, as PEFT does and reads them.
   *
   * @param folder Made where it is missing.
   */
  async save(folder: string): Promise<void> {
    this.#needChanges("save");
    const { writeLora } = await import("./lora_files.ts"); // code that training does without
    const { rank: r, alpha, dropout, targets } = this;
    await writeLora(folder, this.#factors(), {
      r,
      lora_alpha: alpha,
      lora_dropout: dropout,
      target_modules: targets,
      fan_in_fan_out: this.#changes.some(({ layer }) => layer instanceof Conv1D),
    });
  }

  /**
   * Takes over factors that {@link Lora.save} or PEFT wrote.
   *
   * @throws CheckpointError Where there are none in the folder, or they are of other layers.
   */
  async load(folder: string): Promise<void> {
    this.#needChanges("load");
    const { readLora } = await import("./lora_files.ts");
    assignVariables(await readLora(folder, this.#factors()));
  }

  /** Adds the changes to the weights, which then train on as any others: the model is what it was, and computes the same. */
  merge(): void {
    this.#end("merge", true);
  }

  /** Takes the changes away: the model computes what it did before. */
  remove(): void {
    this.#end("remove", false);
  }

  #end(what: string, merge: boolean): void {
    this.#needChanges(what);
    for (const p of this.parameters()) p.fixed = true; // optimizers that hold them are made anew
    for (const { layer, parts } of this.#changes) restoreLayer(layer, parts, this.alpha / this.rank, merge);
    this.#changes = [];
    for (const p of this.#base.parameters()) {
      p.fixed = false;
      p.requiresGrad = true;
    }
  }

  #needChanges(what: string): void {
    if (this.#changes.length > 0) return;
    throw new ConfigError(`Cannot ${what} changes: they were merged or removed, applyLora() makes new ones`);
  }
}

/**
 * Changes some linear layers of a model by products of two small matrices, which are trained; the model's own weights are
 * fixed, and no optimizer keeps state for them. Of a learner's model the encoder is changed and fixed, its head trains. Before
 * the first step the model computes what it did.
 *
 * @param model An encoder, a learner's model, or any module with linear layers.
 * @returns What saves, loads and merges the changes.
 * @throws ConfigError If the model has no layer of these names, or is changed already.
 * @example
 * ```ts ignore
 * const bert = await textClassifierLearner(dls, bertModel({ weights: "model.safetensors" }));
 * const lora = applyLora(bert.model, { rank: 8, alpha: 16, targets: ["query", "value"] });
 * await bert.fitOneCycle(3, { lrMax: 1e-3 });
 * await lora.save("spam-lora");
 * ```
 */
export function applyLora(model: AnyModule, options: LoraOptions = {}): Lora {
  checkOptions("apply LoRA", options, OPTIONS);
  const { rank = 8, alpha = 16, dropout = 0, rng = null } = options;
  const base = model.modules().find((m) => m instanceof SequenceEncoder) ?? model;
  if (hasLora(base)) {
    throw new ConfigError(`Cannot apply LoRA: ${base.constructor.name} is changed already, merge() first`);
  }
  if (!(dropout >= 0 && dropout <= 1)) {
    throw new ConfigError(`Cannot apply LoRA: dropout is a probability from 0 to 1, got ${dropout}`);
  }
  if (!(alpha > 0 && alpha < Infinity)) {
    throw new ConfigError(`Cannot apply LoRA: alpha is a finite number above 0, got ${alpha}`);
  }
  const candidates = [...base.namedModules()].flatMap(([name, m]) => isChangeable(m) ? [[name, m] as const] : []);
  const named = (target: string) => candidates.filter(([name]) => name === target || name.endsWith(`.${target}`));
  const targets = options.targets ?? DEFAULT_TARGETS.find((all) => all.every((t) => named(t).length > 0)) ?? [];
  const missing = targets.filter((t) => named(t).length === 0);
  if (targets.length === 0 || missing.length > 0) {
    const known = [...new Set(candidates.map(([name]) => name.split(".").at(-1)!))];
    throw new ConfigError(
      `Cannot apply LoRA to ${missing.join(", ") || "no layers"}: the linear layers of ${base.constructor.name} are ${
        known.join(", ") || "none"
      }`,
    );
  }
  for (const p of base.parameters()) {
    p.fixed = true;
    p.requiresGrad = false;
    p.grad = null;
  }
  const layers = new Map(targets.flatMap(named));
  const spec = { rank, scale: alpha / rank, dropout, rng };
  const changes = [...layers].map(([name, layer]) => ({ name, layer, parts: changeLayer(layer, spec) }));
  return new Lora(base, changes, rank, alpha, dropout, targets);
}

/**
 * Applies and loads changes that {@link Lora.save} or PEFT wrote into a folder.
 *
 * @throws CheckpointError Where they do not fit the model; ConfigError where they are of a kind that is not known here.
 */
export async function loadLora(model: AnyModule, folder: string): Promise<Lora> {
  const config = await HubConfig.read(join(folder, "adapter_config.json"), undefined);
  const own = config!;
  own.refuse("peft_type", "LORA");
  own.refuse("bias", "none");
  own.refuse("use_rslora", false);
  own.refuse("use_dora", false);
  own.refuse("lora_bias", false);
  for (const name of ["modules_to_save", "layers_to_transform"]) own.refuse(name, null);
  for (const name of ["rank_pattern", "alpha_pattern"]) {
    if (Object.keys(own.values[name] ?? {}).length > 0) own.refuse(name, null);
  }
  const targets = own.values.target_modules;
  if (!texts.holds(targets)) throw new ConfigError(`Cannot use ${own.where}: target_modules is a list of names`);
  const lora = applyLora(model, {
    rank: own.count("r"),
    alpha: own.number("lora_alpha", 8),
    dropout: own.number("lora_dropout", 0),
    targets: targets as readonly string[],
  });
  try {
    await lora.load(folder);
  } catch (error) {
    lora.remove();
    throw error;
  }
  return lora;
}
