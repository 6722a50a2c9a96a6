/**
 * Turns a program into dispatches, and says which memory of its own the device needs for them.
 *
 * @module
 */
import type { AttentionGradKernel, AttentionKernel } from "../attention_kernel.ts";
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
import { TextureCache } from "./kernels/texture_cache.ts";

/** Memory that the device adds to a program's slots: uninitialized scratch, constants, or a texture. */
export type ExtraSlot = { readonly bytes: number } | { readonly words: Uint32Array } | { readonly texels: number };

/** Dispatches of a program; slot numbers from `program.slots.length` on are `extra`. */
export interface Plan {
  readonly dispatches: readonly Dispatch[];
  readonly extra: readonly ExtraSlot[];
}

/** Whether the parameters of `program` are bound as a uniform buffer. */
export function fitsUniform(program: Program): boolean {
  return program.slots[0].bytes <= PARAM_VECTORS * 16;
}

type AnyAttention = AttentionKernel | AttentionGradKernel;

/** Plans every kernel of `program`. */
export function planProgram(program: Program, profile: DeviceProfile, strategy: () => KernelStrategy): Plan {
  const extra: ExtraSlot[] = [];
  const scratches: number[] = [];
  let taken = 0;
  let merged: ReturnType<typeof mergeLeftPackings> | null = null;
  const add = (slot: ExtraSlot) => program.slots.length + extra.push(slot) - 1;
  const context: PlanContext = {
    profile,
    uniformParams: fitsUniform(program),
    strategy,
    scratch: (bytes) => {
      const size = Math.ceil(bytes / 16) * 16;
      // kernels run one after another: each reuses the scratch memory of those before it, as large as any of them needs
      const slot = scratches[taken] ?? add({ bytes: 0 });
      scratches[taken++] = slot;
      const at = slot - program.slots.length, old = extra[at];
      extra[at] = { bytes: Math.max("bytes" in old ? old.bytes : 0, size) };
      return slot;
    },
    table: (words) => add({ words: Uint32Array.from(words) }),
    mergePacking: (packing) => (merged ??= mergeLeftPackings(program.kernels))(packing),
    texture: (tag, source, texels) => textures.take(tag, source, texels),
  };
  const textures = new TextureCache((texels, slot) => {
    if (slot === undefined) return add({ texels });
    extra[slot - program.slots.length] = { texels };
    return slot;
  });
  const plan = (kernel: Exclude<Kernel, AnyAttention>, label: string, free: number): Dispatch[] => {
    taken = free;
    const planned = planKernel(kernel, context, label);
    for (const { bindings } of planned) {
      for (const { slot, writable, texture } of bindings) if (writable && texture === undefined) textures.written(slot);
    }
    textures.next();
    return planned.map((dispatch) => ({ ...dispatch, text: hideConstants(dispatch.text) }));
  };
  const dispatches = program.kernels.flatMap((kernel, i) => {
    const label = `${program.label} ${i} ${kernel.op}`;
    if (kernel.op !== "attention" && kernel.op !== "attentionGrad") return plan(kernel, label, 0);
    taken = 0;
    const parts = expandAttention(kernel, context.scratch), free = taken;
    return parts.flatMap((part) => plan(part, `${label} ${part.op}`, free));
  });
  return { dispatches, extra };
}

function planKernel(kernel: Exclude<Kernel, AnyAttention>, context: PlanContext, label: string): Dispatch[] {
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
