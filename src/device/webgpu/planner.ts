/**
 * Turns a program into dispatches, and says which memory of its own the device needs for them.
 *
 * @module
 */
import type { DeviceProfile, Kernel, Program } from "../contract.ts";
import { expandAttention } from "./attention.ts";
import { PARAM_VECTORS } from "./kernels/access.ts";
import { planConv } from "./kernels/conv.ts";
import { mergeLeftPackings } from "./kernels/conv_texel.ts";
import { planMap } from "./kernels/map.ts";
import { planMatmul } from "./kernels/matmul.ts";
import type { Dispatch, KernelStrategy, PlanContext } from "./kernels/plan.ts";
import { hideConstants } from "./kernels/hide_constants.ts";
import { planReduce } from "./kernels/reduce.ts";
import { planScatterAdd } from "./kernels/scatter_add.ts";
import { planSegmentSum } from "./kernels/segment_sum.ts";
import { DeviceError } from "../../base/errors.ts";
import { fitBindings, type Room } from "./fit/mod.ts";
import type { PlainKernel } from "./fit/rewrite.ts";
import { subgroupTrees } from "./kernels/subgroup_trees.ts";
import { tilingBy, UNTRIED } from "./kernels/tiles.ts";
import { TextureCache } from "./kernels/texture_cache.ts";
import { withHalves } from "./kernels/wgsl_library.ts";

/** Memory that the device adds to a program's slots: uninitialized scratch, constants, a texture, or a part of another slot. */
export type ExtraSlot =
  | { readonly bytes: number }
  | { readonly words: Uint32Array }
  | { readonly texels: number }
  | { readonly window: number; readonly offset: number; readonly bytes: number };

/** What an adapter binds. */
export interface BindingLimits {
  /** Most bytes of a storage binding, a multiple of 16. */
  readonly bytes: number;
  /** Most storage bindings of a kernel. */
  readonly count: number;
}

const NO_LIMITS: BindingLimits = { bytes: Infinity, count: Infinity };

/** Dispatches of a program; slot numbers from `program.slots.length` on are `extra`. */
export interface Plan {
  readonly dispatches: readonly Dispatch[];
  readonly extra: readonly ExtraSlot[];
}

/** Whether the parameters of `program` are bound as a uniform buffer. */
export function fitsUniform(program: Program): boolean {
  return program.slots[0].bytes <= PARAM_VECTORS * 16;
}

/** How a program is planned. */
export interface PlanOptions {
  readonly profile: DeviceProfile;
  readonly strategy: () => KernelStrategy;
  /** None by default. */
  readonly limits?: BindingLimits;
  /** Threads that follow each other and lie in one subgroup; 0, the default, for kernels without subgroups. */
  readonly lanes?: number;
  /** Whether f16 is a type of the adapter's: the feature "shader-f16". Else its numbers lie in words, two in each. */
  readonly halves?: boolean;
  /** The tile of products of a shape; by default one that suits its class. */
  readonly tiling?: PlanContext["tiling"];
}

/**
 * Plans every kernel of `program`.
 *
 * @throws {DeviceError} If a kernel takes more memory at once than the adapter binds.
 */
export function planProgram(
  program: Program,
  { profile, strategy, limits = NO_LIMITS, lanes = 0, halves = false, tiling = tilingBy(UNTRIED) }: PlanOptions,
): Plan {
  const extra: ExtraSlot[] = [];
  const scratches: number[] = [];
  let taken = 0;
  let merged: ReturnType<typeof mergeLeftPackings> | null = null;
  const add = (slot: ExtraSlot) => program.slots.length + extra.push(slot) - 1;
  const scratch = (bytes: number): number => {
    const size = Math.ceil(bytes / 16) * 16;
    // kernels run one after another: each reuses the scratch memory of those before it, as large as any of them needs
    const slot = scratches[taken] ?? add({ bytes: 0 });
    scratches[taken++] = slot;
    const at = slot - program.slots.length, old = extra[at];
    extra[at] = { bytes: Math.max("bytes" in old ? old.bytes : 0, size) };
    return slot;
  };
  const windows = new Map<string, number>();
  const room: Room = {
    limit: limits.bytes,
    count: limits.count,
    bytesOf: (slot) =>
      slotBytes(slot < program.slots.length ? program.slots[slot] : extra[slot - program.slots.length]),
    window: (window, offset, bytes) => {
      const key = `${window} ${offset} ${bytes}`, known = windows.get(key) ?? add({ window, offset, bytes });
      windows.set(key, known);
      return known;
    },
    scratch,
  };
  const isWindow = (slot: number) => slot >= program.slots.length && "window" in extra[slot - program.slots.length];
  const context: PlanContext = {
    profile,
    uniformParams: fitsUniform(program),
    halves,
    lanes,
    strategy,
    tiling,
    mostScratch: limits.bytes,
    scratch: (bytes) => {
      if (bytes > limits.bytes) throw tooLarge("lay out an operand", bytes, limits.bytes);
      return scratch(bytes);
    },
    table: (words) => add({ words: Uint32Array.from(words) }),
    mergePacking: (packing) => (merged ??= mergeLeftPackings(program.kernels))(packing),
    texture: (tag, source, texels) => isWindow(source) ? null : textures.take(tag, source, texels),
  };
  const textures = new TextureCache((texels, slot) => {
    if (slot === undefined) return add({ texels });
    extra[slot - program.slots.length] = { texels };
    return slot;
  });
  const plan = (kernel: PlainKernel, label: string, free: number): Dispatch[] => {
    taken = free;
    const planned = planKernel(kernel, context, label);
    for (const { bindings } of planned) {
      const stored = bindings.filter(({ uniform, texture }) => uniform !== true && texture === undefined);
      if (stored.length > limits.count) {
        throw new DeviceError(
          `Cannot compute "${label}": it must bind at most ${limits.count} buffers, the adapter's ` +
            `maxStorageBuffersPerShaderStage, got ${stored.length}; those of more than ${limits.bytes} bytes are bound in parts`,
        );
      }
      for (const { slot, writable } of stored) if (writable) textures.written(slot);
    }
    textures.next();
    return planned.map((dispatch) => finished(dispatch, lanes));
  };
  const dispatches = program.kernels.flatMap((kernel, i) => {
    taken = 0;
    const parts = expand(kernel, scratch).flatMap((part) => fitBindings(part, room)), free = taken;
    return parts.flatMap((part) => plan(part, `${program.label} ${i} ${labelOf(kernel, part)}`, free));
  });
  return { dispatches, extra };
}

/** The text with the extensions of WGSL that it needs. */
function enabled(text: string): string {
  const subgroups = /\bsubgroup\w+\(/.test(text) ? "enable subgroups;\n" : "";
  return `${subgroups}${/\bf16\b/.test(text) ? "enable f16;\n" : ""}${text}`;
}

function expand(kernel: Kernel, scratch: (bytes: number) => number): PlainKernel[] {
  return kernel.op === "attention" || kernel.op === "attentionGrad" ? expandAttention(kernel, scratch) : [kernel];
}

function labelOf(kernel: Kernel, part: PlainKernel): string {
  return kernel.op === part.op ? kernel.op : `${kernel.op} ${part.op}`;
}

/** A dispatch with its final text. */
function finished(dispatch: Dispatch, lanes: number): Dispatch {
  const text = hideConstants(withHalves(dispatch.text));
  if (lanes === 0 || !text.includes("fn tree_")) return { ...dispatch, text: enabled(text) };
  return { ...dispatch, text: enabled(subgroupTrees(text)), overrides: { ...dispatch.overrides, LANES: lanes } };
}

function slotBytes(slot: ExtraSlot | { readonly bytes: number }): number {
  return "bytes" in slot ? slot.bytes : "words" in slot ? slot.words.byteLength : 0;
}

function tooLarge(what: string, bytes: number, limit: number): DeviceError {
  return new DeviceError(
    `Cannot ${what} of ${bytes} bytes: what is bound at once must fit ${limit}, the adapter's maxStorageBufferBindingSize`,
  );
}

function planKernel(kernel: PlainKernel, context: PlanContext, label: string): Dispatch[] {
  switch (kernel.op) {
    case "map":
      return planMap(kernel, context, label);
    case "reduce":
      return planReduce(kernel, context, label);
    case "matmul":
      return planMatmul(kernel, context, label);
    case "conv":
      return planConv(kernel, context, label);
    case "scatterAdd":
      return planScatterAdd(kernel, context, label);
    case "segmentSum":
      return planSegmentSum(kernel, context, label);
  }
}
