import { assertEquals } from "@std/assert";
import { Assembler, IF, REG } from "../../../../src/device/cpu/native/assembler.ts";

const { rax, rcx, rdx, rbx, rsp, rbp, rsi, rdi, r8, r9, r10, r11, r12, r13, r14, r15 } = REG;

const hex = (code: Uint8Array) => [...code].map((byte) => byte.toString(16).padStart(2, "0")).join(" ");

/** Instructions, how they are written here, and their bytes by the GNU assembler 2.40 (vectors of 4 and 8 lanes with `{vex3}`). */
const KNOWN: readonly (readonly [text: string, write: (a: Assembler) => void, bytes: string])[] = [
  ["mov %rsi, %rax", (a) => a.move(rax, rsi), "48 89 f0"],
  ["mov %r15, %r8", (a) => a.move(r8, r15), "4d 89 f8"],
  ["mov %rax, %r13", (a) => a.move(r13, rax), "49 89 c5"],
  ["mov 4(%rdi), %ecx", (a) => a.load32(rcx, { base: rdi, disp: 4 }), "8b 4f 04"],
  ["mov (%r12), %r9d", (a) => a.load32(r9, { base: r12 }), "45 8b 0c 24"],
  ["mov (%r13), %eax", (a) => a.load32(rax, { base: r13 }), "41 8b 45 00"],
  ["mov 300(%rsp), %r14d", (a) => a.load32(r14, { base: rsp, disp: 300 }), "44 8b b4 24 2c 01 00 00"],
  ["mov -8(%rax,%r11,4), %ebx", (a) => a.load32(rbx, { base: rax, index: r11, scale: 4, disp: -8 }), "42 8b 5c 98 f8"],
  ["movslq 12(%rdi), %r10", (a) => a.loadSigned(r10, { base: rdi, disp: 12 }), "4c 63 57 0c"],
  ["mov %r10d, 8(%rbp)", (a) => a.store32({ base: rbp, disp: 8 }, r10), "44 89 55 08"],
  ["lea (%rax,%rcx,2), %rdx", (a) => a.address(rdx, { base: rax, index: rcx, scale: 2 }), "48 8d 14 48"],
  ["lea -128(%r8,%r9), %r15", (a) => a.address(r15, { base: r8, index: r9, disp: -128 }), "4f 8d 7c 08 80"],
  ["add %r9, %rsi", (a) => a.add(rsi, r9), "4c 01 ce"],
  ["sub %rax, %r12", (a) => a.sub(r12, rax), "49 29 c4"],
  ["add $-1, %r11", (a) => a.addImmediate(r11, -1), "49 83 c3 ff"],
  ["add $192, %rcx", (a) => a.addImmediate(rcx, 192), "48 81 c1 c0 00 00 00"],
  ["cmp $8, %rbx", (a) => a.compare(rbx, 8), "48 83 fb 08"],
  ["cmp $300, %r13", (a) => a.compare(r13, 300), "49 81 fd 2c 01 00 00"],
  ["test %r11, %r11", (a) => a.test(r11), "4d 85 db"],
  ["xor %eax, %eax", (a) => a.zero(rax), "31 c0"],
  ["xor %r9d, %r9d", (a) => a.zero(r9), "45 31 c9"],
  ["mov $7, %eax", (a) => a.set(rax, 7), "b8 07 00 00 00"],
  ["mov $0xffffffff, %r10d", (a) => a.set(r10, 0xffffffff), "41 ba ff ff ff ff"],
  ["push %rbx", (a) => a.push(rbx), "53"],
  ["push %r15", (a) => a.push(r15), "41 57"],
  ["pop %rbp", (a) => a.pop(rbp), "5d"],
  ["pop %r12", (a) => a.pop(r12), "41 5c"],
  ["endbr64", (a) => a.landing(), "f3 0f 1e fa"],
  ["ret", (a) => a.return(), "c3"],
  ["vzeroupper", (a) => a.zeroUpper(), "c5 f8 77"],
  ["cpuid", (a) => a.cpuid(), "0f a2"],
  ["xgetbv", (a) => a.xgetbv(), "0f 01 d0"],
  ["kmovw %eax, %k1", (a) => a.setMask(1, rax), "c5 f8 92 c8"],
  ["kmovw %r10d, %k7", (a) => a.setMask(7, r10), "c4 c1 78 92 fa"],
  ["kxnorw %k2, %k2, %k2", (a) => a.fillMask(2), "c5 ec 46 d2"],
  ["vmovups (%rsi), %zmm0", (a) => a.vload(16, 0, { base: rsi }), "62 f1 7c 48 10 06"],
  ["vmovups 64(%r13), %zmm31", (a) => a.vload(16, 31, { base: r13, disp: 64 }), "62 41 7c 48 10 7d 01"],
  ["vmovups 100(%r12), %zmm17", (a) => a.vload(16, 17, { base: r12, disp: 100 }), "62 c1 7c 48 10 8c 24 64 00 00 00"],
  ["vmovups -8192(%rsp), %zmm9", (a) => a.vload(16, 9, { base: rsp, disp: -8192 }), "62 71 7c 48 10 4c 24 80"],
  [
    "vmovups (%rax,%r14,4), %zmm20{%k3}",
    (a) => a.vload(16, 20, { base: rax, index: r14, scale: 4 }, { k: 3 }),
    "62 a1 7c 4b 10 24 b0",
  ],
  [
    "vmovups (%r9,%rbp), %zmm8{%k1}{z}",
    (a) => a.vload(16, 8, { base: r9, index: rbp }, { k: 1, zero: true }),
    "62 51 7c c9 10 04 29",
  ],
  [
    "vmovups %zmm25, 128(%rcx){%k2}",
    (a) => a.vstore(16, { base: rcx, disp: 128 }, 25, { k: 2 }),
    "62 61 7c 4a 11 49 02",
  ],
  ["vmovups %zmm5, (%r15)", (a) => a.vstore(16, { base: r15 }, 5), "62 d1 7c 48 11 2f"],
  ["vbroadcastss 28(%rax), %zmm30", (a) => a.vbroadcast(16, 30, { base: rax, disp: 28 }), "62 62 7d 48 18 70 07"],
  [
    "vbroadcastss 516(%r11), %zmm3",
    (a) => a.vbroadcast(16, 3, { base: r11, disp: 516 }),
    "62 d2 7d 48 18 9b 04 02 00 00",
  ],
  ["vfmadd231ps %zmm27, %zmm24, %zmm23", (a) => a.vfma(16, 23, 24, 27), "62 82 3d 40 b8 fb"],
  ["vfmadd231ps (%rax), %zmm24, %zmm7", (a) => a.vfma(16, 7, 24, { base: rax }), "62 f2 3d 40 b8 38"],
  [
    "vfmadd231ps 4(%rax){1to16}, %zmm24, %zmm7",
    (a) => a.vector("fma", 16, 7, 24, { base: rax, disp: 4 }, { spread: true }),
    "62 f2 3d 50 b8 78 01",
  ],
  [
    "vaddps 64(%rbx), %zmm12, %zmm12",
    (a) => a.vector("add", 16, 12, 12, { base: rbx, disp: 64 }),
    "62 71 1c 48 58 63 01",
  ],
  [
    "vaddps (%rbx), %zmm12, %zmm12{%k1}",
    (a) => a.vector("add", 16, 12, 12, { base: rbx }, { k: 1 }),
    "62 71 1c 49 58 23",
  ],
  ["vxorps %zmm19, %zmm19, %zmm19", (a) => a.vzero(16, 19), "62 a1 64 40 57 db"],
  [
    "vgatherdps (%r8,%zmm18), %zmm2{%k1}",
    (a) => a.vector("gather", 16, 2, 0, { base: r8, index: 18 }, { k: 1 }),
    "62 d2 7d 41 92 14 10",
  ],
  [
    "vgatherdps 8(%rax,%zmm3,4), %zmm21{%k2}",
    (a) => a.vector("gather", 16, 21, 0, { base: rax, index: 3, scale: 4, disp: 8 }, { k: 2 }),
    "62 e2 7d 4a 92 6c 98 02",
  ],
  ["vpermt2ps %zmm29, %zmm30, %zmm4{%k5}", (a) => a.vector("permute2", 16, 4, 30, 29, { k: 5 }), "62 92 0d 45 7f e5"],
  ["vmovups (%rsi), %ymm0", (a) => a.vload(8, 0, { base: rsi }), "c4 e1 7c 10 06"],
  ["vmovups 32(%r13,%rbp), %ymm14", (a) => a.vload(8, 14, { base: r13, index: rbp, disp: 32 }), "c4 41 7c 10 74 2d 20"],
  ["vmovups %ymm11, 300(%r12)", (a) => a.vstore(8, { base: r12, disp: 300 }, 11), "c4 41 7c 11 9c 24 2c 01 00 00"],
  ["vmovups (%r10,%r9), %xmm9", (a) => a.vload(4, 9, { base: r10, index: r9 }), "c4 01 78 10 0c 0a"],
  ["vmovups %xmm1, (%rdx,%rcx,2)", (a) => a.vstore(4, { base: rdx, index: rcx, scale: 2 }, 1), "c4 e1 78 11 0c 4a"],
  ["vbroadcastss 12(%rax), %ymm15", (a) => a.vbroadcast(8, 15, { base: rax, disp: 12 }), "c4 62 7d 18 78 0c"],
  ["vfmadd231ps %ymm15, %ymm12, %ymm3", (a) => a.vfma(8, 3, 12, 15), "c4 c2 1d b8 df"],
  ["vxorps %ymm8, %ymm8, %ymm8", (a) => a.vzero(8, 8), "c4 41 3c 57 c0"],
  ["vaddps 32(%rbx), %ymm7, %ymm7", (a) => a.vector("add", 8, 7, 7, { base: rbx, disp: 32 }), "c4 e1 44 58 7b 20"],
  ["vunpcklps %ymm3, %ymm2, %ymm9", (a) => a.vector("unpackLow", 8, 9, 2, 3), "c4 61 6c 14 cb"],
  ["vunpckhps %ymm13, %ymm2, %ymm9", (a) => a.vector("unpackHigh", 8, 9, 2, 13), "c4 41 6c 15 cd"],
  ["vunpcklpd %ymm3, %ymm12, %ymm1", (a) => a.vector("unpackLowPairs", 8, 1, 12, 3), "c4 e1 1d 14 cb"],
  ["vunpckhpd %xmm3, %xmm2, %xmm1", (a) => a.vector("unpackHighPairs", 4, 1, 2, 3), "c4 e1 69 15 cb"],
  ["vorps %ymm3, %ymm2, %ymm1", (a) => a.vector("or", 8, 1, 2, 3), "c4 e1 6c 56 cb"],
  [
    "vmaskmovps (%rsi,%rdx), %ymm14, %ymm2",
    (a) => a.vector("maskLoad", 8, 2, 14, { base: rsi, index: rdx }),
    "c4 e2 0d 2c 14 16",
  ],
  [
    "vmaskmovps %ymm2, %ymm14, 32(%rbx)",
    (a) => a.vector("maskStore", 8, 2, 14, { base: rbx, disp: 32 }),
    "c4 e2 0d 2e 53 20",
  ],
  ["vpcmpeqd %ymm4, %ymm4, %ymm4", (a) => a.vector("compareEqual", 8, 4, 4, 4), "c4 e1 5d 76 e4"],
  [
    "vgatherdps %ymm4, (%rax,%ymm5), %ymm6",
    (a) => a.vector("gather", 8, 6, 4, { base: rax, index: 5 }),
    "c4 e2 5d 92 34 28",
  ],
  [
    "vgatherdps %ymm4, (%r8,%ymm13,4), %ymm6",
    (a) => a.vector("gather", 8, 6, 4, { base: r8, index: 13, scale: 4 }),
    "c4 82 5d 92 34 a8",
  ],
  ["vmovss (%r8,%rbp), %xmm3", (a) => a.loadScalar(3, { base: r8, index: rbp }), "c4 c1 7a 10 1c 28"],
  ["vmovss %xmm12, 28(%r12)", (a) => a.storeScalar({ base: r12, disp: 28 }, 12), "c4 41 7a 11 64 24 1c"],
  [
    "vinsertf128 $1, (%r11,%rbp), %ymm2, %ymm13",
    (a) => a.insertHalf(13, 2, { base: r11, index: rbp }),
    "c4 43 6d 18 2c 2b 01",
  ],
  ["mov 16(%rsp), %r12", (a) => a.load64(r12, { base: rsp, disp: 16 }), "4c 8b 64 24 10"],
  ["mov %rax, 24(%rsp)", (a) => a.store64({ base: rsp, disp: 24 }, rax), "48 89 44 24 18"],
  ["add 16(%rsp), %r9", (a) => a.add64(r9, { base: rsp, disp: 16 }), "4c 03 4c 24 10"],
  ["sub (%rsp), %rax", (a) => a.sub64(rax, { base: rsp }), "48 2b 04 24"],
  ["sub 8(%r13), %r9", (a) => a.sub64(r9, { base: r13, disp: 8 }), "4d 2b 4d 08"],
  [
    "vshufps $0x88, 32(%r9,%rdi), %ymm12, %ymm9",
    (a) => a.shuffle(9, 12, { base: r9, index: rdi, disp: 32 }, 0x88),
    "c4 41 1c c6 4c 39 20 88",
  ],
  ["vshufps $0x4e, (%r12), %ymm3, %ymm1", (a) => a.shuffle(1, 3, { base: r12 }, 0x4e), "c4 c1 64 c6 0c 24 4e"],
  ["vpermpd $0xd8, %ymm13, %ymm2", (a) => a.permutePairs(2, 13, 0xd8), "c4 c3 fd 01 d5 d8"],
  ["vpermpd $0x1b, %ymm2, %ymm10", (a) => a.permutePairs(10, 2, 0x1b), "c4 63 fd 01 d2 1b"],
  ["imul %rdi, %r13", (a) => a.multiply(r13, rdi), "4c 0f af ef"],
  ["prefetchw 64(%rbp)", (a) => a.prefetch({ base: rbp, disp: 64 }), "0f 0d 4d 40"],
  ["prefetchw (%r12)", (a) => a.prefetch({ base: r12 }), "41 0f 0d 0c 24"],
];

for (const [text, write, bytes] of KNOWN) {
  Deno.test(`assembler: ${text}`, () => {
    const a = new Assembler();
    write(a);
    assertEquals(hex(a.finish()), bytes);
  });
}

Deno.test("assembler: jumps and calls lead to their labels, forwards and backwards", () => {
  const a = new Assembler(), end = a.label(), start = a.here();
  a.jumpIf(IF.notZero, end).jump(start).call(end).here(end);
  a.return();
  // 6 bytes, 5 bytes, 5 bytes, then the label; distances count from the end of the jump
  assertEquals(hex(a.finish()), "0f 85 0a 00 00 00 e9 f5 ff ff ff e8 00 00 00 00 c3");
});

Deno.test("assembler: code may be of any length, and is aligned as told", () => {
  const a = new Assembler();
  for (let i = 0; i < 5000; i++) a.bytes(1, 2, 3);
  assertEquals(a.align(64).length % 64, 0);
  assertEquals(a.finish().subarray(14997, 15002), Uint8Array.of(1, 2, 3, 0x90, 0x90));
});
