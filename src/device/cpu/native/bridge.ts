/**
 * The way from the WebAssembly loops to machine code: functions that check what they are given and call.
 *
 * @module
 */
import type { Level } from "./processor.ts";

/** What a thread needs to call the machine code of a device: numbers, which go from thread to thread. */
export interface Native {
  readonly level: Level;
  /** The module with the loops, see `wasm/native.as.ts`. */
  readonly loops: WebAssembly.Module;
  /** Address of the memory's first byte, which stays where it is when the memory grows. */
  readonly memory: bigint;
  /** Addresses of the functions: tiles, and the packing of panels of B and of A. */
  readonly tiles: bigint;
  readonly packs: readonly [b: bigint, a: bigint];
  /** Address of the function for products of a row. */
  readonly row: bigint;
  /** Addresses of the functions for products of a row whose columns lie in lines, side by side or every second number. */
  readonly lines: readonly [one: bigint, two: bigint];
  /** Address of the function that copies images with a border; null where there is none. */
  readonly pad: bigint | null;
  /** Lanes of a vector and rows of a tile. */
  readonly lanes: number;
  readonly rows: number;
}

/** Calls the comparison, the last of its arguments, with the first two; see `CALL` in `code_memory.ts`. */
export type Call = (...pointers: [a: Pointer, b: Pointer, one: Pointer, one: Pointer, code: Pointer]) => void;
type Pointer = Deno.PointerValue;

/**
 * The imports of the loops on this thread. It is handed to helper threads as text, so nothing outside of it is used.
 *
 * @throws RangeError From the functions, if they are given addresses outside of the memory.
 */
export function bridge(native: Native, memory: WebAssembly.Memory, bsearch: Call): WebAssembly.ModuleImports {
  const { lanes, rows: height } = native;
  const pointer = (address: bigint) => Deno.UnsafePointer.create(address);
  // words 16 to 31: eight times -1, eight times 0; words 32 to 47: 0, 2 to 14, and 16 + 1, 16 + 3 to 16 + 15
  const words = new Int32Array(48).fill(-1, 16, 24);
  for (let i = 0; i < 16; i++) words[32 + i] = i < 8 ? 2 * i : 2 * i + 1;
  const given = Deno.UnsafePointer.of(words), one = pointer(1n), base = pointer(native.memory);
  const tilesAt = pointer(native.tiles), packsAt = native.packs.map(pointer);
  const rowAt = pointer(native.row), linesAt = native.lines.map(pointer);
  const padAt = native.pad === null ? null : pointer(native.pad);
  let size = memory.buffer.byteLength;
  /** A mask of those of 16 lanes that come before lane `end`. */
  const lanesBelow = (end: number) => end <= 0 ? 0 : end >= 16 ? 0xffff : (1 << end) - 1;
  /** Refuses the bytes from `from` to `to` if some are not in memory. */
  const check = (from: number, to: number) => {
    if (from >= 0 && to <= size) return;
    size = memory.buffer.byteLength; // it may have grown
    if (from < 0 || to > size) {
      throw new RangeError(`Cannot hand bytes ${from} to ${to} to machine code: the memory has ${size}`);
    }
  };
  return {
    lanes,
    rows: height,
    tiles(
      kc: number,
      a: number,
      b: number,
      c: number,
      ldc: number,
      rows: number,
      columns: number,
      add: number,
      next: number,
    ) {
      a >>>= 0;
      b >>>= 0;
      c >>>= 0;
      const panels = Math.ceil(rows / height),
        vectors = Math.ceil(columns / lanes),
        last = columns - (vectors - 1) * lanes;
      if (rows < 1 || kc < 0 || vectors < 1 || vectors > 3 || ldc < 0 || next < 0) {
        throw new RangeError(`Cannot form tiles of ${rows} x ${columns} x ${kc}`);
      }
      check(a, a + (panels - 1) * next + kc * height * 4);
      check(b, b + kc * vectors * lanes * 4);
      check(c, c + (rows - 1) * ldc + columns * 4);
      words[0] = kc;
      words[1] = a;
      words[2] = b;
      words[3] = c;
      words[4] = ldc;
      words[5] = rows;
      words[6] = vectors;
      words[7] = add;
      words[8] = next;
      words[9] = lanes === 16 ? (1 << last) - 1 : (24 - last) * 4;
      bsearch(given, base, one, one, tilesAt);
    },
    pack(
      which: number,
      to: number,
      from: number,
      rows: number,
      runs: number,
      kc: number,
      vectors: number,
      count: number,
      step: number,
      panels: number,
      fromStep: number,
      toStep: number,
      low: number,
      high: number,
    ) {
      to >>>= 0;
      from >>>= 0;
      rows >>>= 0;
      runs >>>= 0;
      vectors >>>= 0;
      if (kc < 1 || count < 1 || step < 4 || panels < 1 || toStep < 0) {
        throw new RangeError(`Cannot pack ${panels} panels of ${count} vectors by ${kc}`);
      }
      const width = which === 0 ? lanes : lanes / 2, moved = (panels - 1) * fromStep;
      check(to, to + (panels - 1) * toStep + (kc - 1) * step + count * width * 4);
      check(from + low + Math.min(0, moved), from + high + Math.max(0, moved) + 4);
      check(rows, rows + kc * 4);
      check(runs, runs + 16);
      check(vectors, vectors + count * 128);
      words[0] = to;
      words[1] = from;
      words[2] = rows;
      words[3] = runs;
      words[4] = kc;
      words[5] = vectors;
      words[6] = count;
      words[7] = step;
      words[8] = panels;
      words[9] = fromStep;
      words[10] = toStep;
      bsearch(given, base, one, one, packsAt[which]);
    },
    row(
      kc: number,
      a: number,
      b: number,
      rows: number,
      c: number,
      count: number,
      add: number,
      low: number,
      high: number,
    ) {
      a >>>= 0;
      b >>>= 0;
      rows >>>= 0;
      c >>>= 0;
      if (kc < 0 || count < 1) throw new RangeError(`Cannot form a row of ${count} sums of ${kc}`);
      check(a, a + kc * 4);
      check(rows, rows + kc * 4);
      check(c, c + count * 4);
      if (kc > 0) check(b + low, b + high + count * 4);
      words[0] = kc;
      words[1] = a;
      words[2] = b;
      words[3] = rows;
      words[4] = c;
      words[5] = count;
      words[6] = add;
      words[7] = lanes === 16 ? (1 << count % 16) - 1 : (24 - count % 8) * 4;
      bsearch(given, base, one, one, rowAt);
    },
    lines(
      kc: number,
      a: number,
      rows: number,
      c: number,
      count: number,
      table: number,
      groups: number,
      spacing: number,
      low: number,
      high: number,
    ) {
      a >>>= 0;
      rows >>>= 0;
      c >>>= 0;
      table >>>= 0;
      if (kc < 0 || count < 1 || groups < 1 || (spacing !== 1 && spacing !== 2)) {
        throw new RangeError(`Cannot form lines of ${count} sums of ${kc}`);
      }
      check(a, a + kc * 4);
      check(rows, rows + kc * 4);
      check(table, table + groups * 64);
      check(c, c + (count + 7) * 4); // the last vector is stored whole
      if (kc > 0) check(low, high + spacing * 32);
      words[0] = kc;
      words[1] = a;
      words[2] = rows;
      words[3] = c;
      words[4] = table;
      words[5] = groups;
      bsearch(given, base, one, one, linesAt[spacing - 1]);
    },
    pad(
      to: number,
      from: number,
      planes: number,
      planeStep: number,
      height: number,
      above: number,
      below: number,
      rowStep: number,
      width: number,
      left: number,
      right: number,
    ) {
      to >>>= 0;
      from >>>= 0;
      const rows = height - above - below, inner = width - left - right, chunks = Math.ceil(width / 16);
      if (
        planes < 1 || Math.min(above, below, left, right, rows, inner) < 0 || chunks < 1 || chunks > 3 || padAt === null
      ) {
        throw new RangeError(`Cannot copy ${planes} planes of ${height} x ${width} with a border`);
      }
      check(to, to + planes * height * width * 4);
      const moved = (planes - 1) * planeStep, down = (rows - 1) * rowStep, first = from + left * 4;
      if (rows > 0 && inner > 0) {
        check(
          first + Math.min(0, moved) + Math.min(0, down),
          first + Math.max(0, moved) + Math.max(0, down) + inner * 4,
        );
      }
      words[0] = to;
      words[1] = from;
      words[2] = planes;
      words[3] = planeStep;
      words[4] = above;
      words[5] = rows;
      words[6] = below;
      words[7] = rowStep;
      words[8] = width * 4;
      words[9] = chunks;
      for (let i = 0; i < 3; i++) {
        words[10 + i] = lanesBelow(width - right - 16 * i) & ~lanesBelow(left - 16 * i);
        words[13 + i] = lanesBelow(width - 16 * i);
      }
      bsearch(given, base, one, one, padAt);
    },
  };
}
