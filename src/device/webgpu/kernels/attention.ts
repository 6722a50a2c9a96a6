import type { AttentionGradKernel, AttentionKernel } from "../../attention_kernel.ts";
import type { Dispatch, PlanContext } from "./plan.ts";
export function planAttention(kernel: AttentionKernel | AttentionGradKernel, context: PlanContext, label: string): Dispatch[] {
  throw new Error(`not yet ${kernel.op} ${label} ${context.profile.maxBufferBytes}`);
}
