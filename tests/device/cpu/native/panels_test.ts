import { assertEquals, assertThrows } from "@std/assert";
import { KIND, VECTOR_BYTES } from "../../../../src/device/cpu/native/panels.ts";
import { type Functions, onLevels, withFunctions } from "./support.ts";

/** Where things lie in the memory of a test, in bytes. */
const ROWS = 0, RUNS = 8192, VECTORS = 24576, SOURCE = 65536, TO = 3 * 65536;
const GUARD = -1;

/** Columns and rows by their offsets, in elements, and how they are to be packed. */
interface Case {
  readonly columns: readonly number[];
  readonly rows: readonly number[];
  /** Rows of each run, and whether they lie backwards; without, the vector's own kind is what its columns say. */
  readonly runs?: readonly { readonly count: number; readonly back: boolean }[];
}

/** Describes a vector as `wasm/native.as.ts` does, written anew. */
function describe(
  { ints }: Functions,
  at: number,
  columns: readonly number[],
  lanes: number,
  kind: number | null,
): void {
  const v = at / 4;
  ints.fill(0, v, v + VECTOR_BYTES / 4);
  const lines: { first: number; count: number }[] = [];
  columns.forEach((offset, j) => {
    const last = lines.at(-1);
    if (last && columns[j - 1] + 1 === offset) last.count++;
    else lines.push({ first: j, count: 1 });
  });
  lines.slice(0, lanes === 16 ? 6 : 2).forEach(({ first, count }, s) => {
    const base = (columns[first] - first) * 4;
    ints[v + 2 + (lanes === 16 ? 2 * s : s)] = base;
    if (lanes === 16) ints[v + 3 + 2 * s] = (2 ** count - 1) << first;
    else for (let j = 0; j < lanes; j++) ints[v + (s === 0 ? 8 : 24) + j] = j >= first && j < first + count ? -1 : 0;
  });
  const seconds: { first: number; count: number }[] = [];
  columns.forEach((offset, j) => {
    const last = seconds.at(-1);
    if (last && columns[j - 1] + 2 === offset) last.count++;
    else seconds.push({ first: j, count: 1 });
  });
  if (kind !== null && kind > KIND.second) {
    seconds.forEach(({ first, count }, s) => {
      const taken = Array.from({ length: count }, (_, i) => 2 * (first + i)),
        bits = (of: number[]) => of.reduce((m, x) => m | 1 << x, 0);
      ints[v + 2 + 2 * s] = (columns[first] - 2 * first) * 4;
      ints[v + 3 + 2 * s] = bits(taken.filter((x) => x < 16));
      ints[v + 9 + 2 * s] = bits(taken.filter((x) => x >= 16).map((x) => x - 15));
    });
    assertEquals(kind, KIND.second + seconds.length);
  }
  ints[v] = kind ?? (lines.length === 1 && columns.length === lanes ? KIND.line : lines.length);
  for (let j = 0; j < lanes; j++) ints[v + 16 + j] = columns[Math.min(j, columns.length - 1)] * 4;
}

/** Packs one vector and compares every element, and those around it. */
function check(
  functions: Functions,
  which: 0 | 1,
  kind: number | null,
  { columns, rows, runs = [] }: Case,
  name: string,
) {
  const { words, ints, pack } = functions, lanes = which === 0 ? functions.lanes : functions.lanes / 2;
  const pitch = lanes + 5, kc = rows.length;
  ints.set(rows.map((row) => row * 4), ROWS / 4);
  let first = 0;
  const table = runs.flatMap(({ count, back }) => {
    const entry = back
      ? [rows[first + count - 1] * 4, count, (first + count - 1) * pitch * 4, -pitch * 4]
      : [rows[first] * 4, count, first * pitch * 4, pitch * 4];
    first += count;
    return entry;
  });
  ints.set([...table, 0, 0, 0, 0], RUNS / 4);
  describe(functions, VECTORS, columns, lanes, kind);
  for (let i = SOURCE / 4; i < TO / 4; i++) words[i] = i % 65521;
  words.fill(GUARD, TO / 4 - 16, TO / 4 + kc * pitch + 16);
  const from = SOURCE + 32768;
  const all = rows.flatMap((row) => columns.map((column) => (row + column) * 4));
  pack(which, TO, from, ROWS, RUNS, kc, VECTORS, 1, pitch * 4, 1, 0, 0, Math.min(...all), Math.max(...all));
  for (let i = -16; i < kc * pitch; i++) {
    const k = Math.floor(i / pitch), j = i - k * pitch;
    if (i >= 0 && j >= columns.length && j < lanes) continue; // what is there nobody looks at
    const want = i >= 0 && j < lanes ? words[from / 4 + rows[k] + columns[j]] : GUARD;
    if (words[TO / 4 + i] !== want) assertEquals(words[TO / 4 + i], want, `${name}: row ${k}, column ${j}`);
  }
}

const range = (count: number, of: (i: number) => number) => Array.from({ length: count }, (_, i) => of(i));

onLevels("a whole line, and lines cut off or made of several, from any address", (level) => {
  withFunctions(level, 4, (functions) => {
    for (const which of [0, 1] as const) {
      const lanes = which === 0 ? functions.lanes : functions.lanes / 2, most = lanes === 16 ? 6 : 2;
      for (const kc of [1, 2, 5, 64]) {
        const rows = range(kc, (k) => k * 37 - (k % 3) * 11);
        for (let valid = 1; valid <= lanes; valid++) {
          check(functions, which, null, { columns: range(valid, (j) => j + 3), rows }, `${valid} of a line`);
          for (let cut = 1; cut < valid; cut++) {
            const columns = range(valid, (j) => j < cut ? j : 100 + j);
            check(functions, which, null, { columns, rows }, `lines of ${cut} and ${valid - cut}`);
          }
        }
        for (let lines = 3; lines <= most; lines++) {
          const columns = range(lanes, (j) => j + 50 * Math.floor(j * lines / lanes));
          check(functions, which, null, { columns, rows }, `${lines} lines`);
        }
      }
    }
  });
});

onLevels("columns anywhere are gathered", (level) => {
  withFunctions(level, 4, (functions) => {
    for (const which of [0, 1] as const) {
      const lanes = which === 0 ? functions.lanes : functions.lanes / 2;
      for (const step of [0, 2, -1, -7, 300]) {
        for (const valid of [1, 3, lanes]) {
          const columns = range(valid, (j) => j * step), rows = range(19, (k) => k * -13);
          check(functions, which, KIND.gather, { columns, rows }, `columns ${step} apart`);
        }
      }
    }
  });
});

onLevels("every second number of up to three lines", (level) => {
  withFunctions(level, 4, (functions) => {
    for (let first = 0; first <= 16; first++) {
      for (let second = first; second <= 16; second++) {
        for (const valid of [16, 11]) {
          const columns = range(valid, (j) => 2 * j + (j < first ? 0 : j < second ? 90 : 300));
          const lines = new Set(columns.map((column, j) => column - 2 * j)).size;
          check(
            functions,
            0,
            KIND.second + lines,
            { columns, rows: range(9, (k) => k * 41) },
            `cut at ${first} and ${second}`,
          );
        }
      }
    }
  });
}, "AVX-512");

onLevels("rows that are neighbours are turned, runs of every length, forwards and backwards", (level) => {
  withFunctions(level, 4, (functions) => {
    for (const which of [0, 1] as const) {
      const lanes = which === 0 ? functions.lanes : functions.lanes / 2;
      for (const back of [false, true]) {
        for (let count = 1; count <= 21; count++) {
          const runs = [{ count, back }, { count: 1, back: false }, { count: 6, back: !back }, { count, back }];
          const rows = runs.flatMap((run, i) => range(run.count, (k) => 400 * i + (run.back ? 50 - k : k)));
          for (const valid of [1, lanes - 1, lanes]) {
            const columns = range(valid, (j) => j * 101 - (j % 2) * 33);
            check(functions, which, KIND.turn, { columns, rows, runs }, `runs of ${count}${back ? " backwards" : ""}`);
          }
        }
      }
    }
  });
});

onLevels("several panels and several vectors in one call", (level) => {
  withFunctions(level, 4, (functions) => {
    const { words, ints, lanes, pack } = functions, kc = 9, width = 3 * lanes, panels = 4;
    ints.set(range(kc, (k) => k * 500 * 4), ROWS / 4);
    ints.set([0, 0, 0, 0], RUNS / 4);
    for (let v = 0; v < 3; v++) {
      const columns = range(lanes, (j) => j + v * lanes);
      describe(functions, VECTORS + v * VECTOR_BYTES, columns, lanes, v === 1 ? KIND.gather : null);
    }
    for (let i = SOURCE / 4; i < TO / 4; i++) words[i] = i % 65521;
    const last = (500 * (kc - 1) + width - 1) * 4, from = SOURCE + 4 * 3000 * 4;
    pack(0, TO, from, ROWS, RUNS, kc, VECTORS, 3, width * 4, panels, -3000 * 4, kc * width * 4, 0, last);
    for (let i = 0; i < panels * kc * width; i++) {
      const j = i % width, k = Math.floor(i / width) % kc, panel = Math.floor(i / width / kc);
      assertEquals(words[TO / 4 + i], words[from / 4 - 3000 * panel + k * 500 + j]);
    }
  });
});

onLevels("what does not lie in memory is refused before the call", (level) => {
  withFunctions(level, 4, (functions) => {
    const { lanes, pack } = functions, end = 4 * 65536, step = lanes * 4;
    describe(functions, VECTORS, range(lanes, (j) => j), lanes, null);
    functions.ints.fill(0, ROWS / 4, VECTORS / 4);
    const call = (
      to: number,
      from: number,
      rows: number,
      runs: number,
      vectors: number,
      low = 0,
      high = 60,
      fromStep = 0,
    ) => pack(0, to, from, rows, runs, 4, vectors, 1, step, 2, fromStep, 4 * step, low, high);
    call(end - 8 * step, end - 64, ROWS, RUNS, VECTORS);
    assertThrows(() => call(end - 8 * step + 4, SOURCE, ROWS, RUNS, VECTORS), RangeError);
    assertThrows(() => call(TO, end - 60, ROWS, RUNS, VECTORS), RangeError);
    assertThrows(() => call(TO, end - 64, ROWS, RUNS, VECTORS, 0, 60, 4), RangeError);
    assertThrows(() => call(TO, 64, ROWS, RUNS, VECTORS, -68), RangeError);
    assertThrows(() => call(TO, 64, ROWS, RUNS, VECTORS, 0, 60, -68), RangeError);
    assertThrows(() => call(TO, SOURCE, end - 12, RUNS, VECTORS), RangeError);
    assertThrows(() => call(TO, SOURCE, ROWS, end - 12, VECTORS), RangeError);
    assertThrows(() => call(TO, SOURCE, ROWS, RUNS, end - 124), RangeError);
    assertThrows(() => pack(0, TO, SOURCE, ROWS, RUNS, 0, VECTORS, 1, step, 1, 0, 0, 0, 60), RangeError);
    assertThrows(() => pack(0, TO, SOURCE, ROWS, RUNS, 4, VECTORS, 0, step, 1, 0, 0, 0, 60), RangeError);
  });
});
