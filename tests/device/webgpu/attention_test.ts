import { assert } from "@std/assert";
import type { Kernel } from "../../../src/device/contract.ts";
import { expandAttention } from "../../../src/device/webgpu/attention.ts";
import { attentionCases } from "../../support/programs_attention.ts";
import type { ProgramCase } from "../../support/programs_builder.ts";
import { ReferenceDevice } from "../../support/reference_device.ts";

/** The same case, whose attention is made of other kernels, with a few rows of scores at a time. */
function expanded(testCase: ProgramCase): ProgramCase {
  const slots = [...testCase.program.slots];
  const scratch = (bytes: number) => slots.push({ kind: "temporary", bytes, written: true }) - 1;
  const kernels = testCase.program.kernels.flatMap((kernel): Kernel[] =>
    kernel.op === "attention" || kernel.op === "attentionGrad" ? expandAttention(kernel, scratch, 1) : [kernel]
  );
  return { ...testCase, program: { ...testCase.program, slots, kernels } };
}

for (const testCase of attentionCases()) {
  Deno.test(`webgpu: kernels over blocks of rows keep the contract and are ${testCase.name}`, () => {
    const parts = expanded(testCase);
    const rows = testCase.program.kernels.map((kernel) => "heads" in kernel ? Math.ceil(kernel.n / 16) : 0);
    const blocks = rows.reduce((a, b) => a + b, 0);
    assert(parts.program.kernels.length >= 3 * blocks, `${parts.program.kernels.length} kernels of ${blocks} blocks`);
    // the reference device refuses what breaks the contract, more than eight slots a kernel too
    const device = new ReferenceDevice();
    const [a, b] = [testCase, parts].map(({ program, bound, params }) => {
      const buffers = bound.map((data) => device.alloc(data.byteLength));
      buffers.forEach((buffer, i) => device.write(buffer, 0, bound[i]));
      device.run(device.compile(program), buffers, params);
      const last = buffers[buffers.length - 1];
      return new Float32Array(
        device.readSync([{ buffer: last, offset: 0, bytes: bound.at(-1)!.byteLength }])[0].buffer,
      );
    });
    const { rel, abs } = testCase.tolerance;
    a.forEach((want, i) =>
      assert(Math.abs(b[i] - want) <= abs + rel * Math.abs(want), `[${i}]: got ${b[i]}, want ${want}`)
    );
  });
}
