/**
 * Tiles of products for graphics processors: a workgroup has `high` x `wide` elements, a thread 8 x 8 of them in registers. Operands
 * pass through workgroup memory, `deep` terms at a time, in two buffers: the next terms are on their way while these are multiplied.
 *
 * Every tiling adds the terms of an element in their order, one fma each: which one is chosen changes no bit.
 *
 * @module
 */
import { indent } from "./plan.ts";

/** Sizes of a tile. */
export interface Tiling {
  readonly high: number;
  readonly wide: number;
  /** Terms at a time: 8 or 16. */
  readonly deep: number;
  /** Whether threads that have the same rows read different terms of them, and hand them round within their subgroup. */
  readonly shuffled?: boolean;
}

/** The tilings there are, by name. */
export const TILINGS = {
  "32x128": { high: 32, wide: 128, deep: 16 },
  "64x64": { high: 64, wide: 64, deep: 16 },
  "64x128": { high: 64, wide: 128, deep: 16 },
  "128x64": { high: 128, wide: 64, deep: 16 },
  "128x128": { high: 128, wide: 128, deep: 8 },
  "128x128 deep": { high: 128, wide: 128, deep: 16 },
  "64x64 shuffled": { high: 64, wide: 64, deep: 16, shuffled: true },
  "128x128 shuffled": { high: 128, wide: 128, deep: 16, shuffled: true },
} as const satisfies Record<string, Tiling>;

/** The name of a tiling. */
export type TilingName = keyof typeof TILINGS;

/** A product, as far as the choice of its tile goes. */
export interface ProductShape {
  readonly kind: "matmul" | "conv";
  readonly batches: number;
  readonly m: number;
  readonly n: number;
  readonly k: number;
}

/** Kinds of products: of matrices, and over windows. */
export const KINDS = ["matmul", "conv"] as const satisfies readonly ProductShape["kind"][];

/** Classes of shapes that share a tiling. */
export const CLASSES = ["thin", "few", "narrow", "large"] as const;
/** One of {@link CLASSES}. */
export type ShapeClass = typeof CLASSES[number];

/** The class of a shape: few rows, few tiles altogether, up to 64 rows, or none of it. */
export function classOf({ batches, m, n }: ProductShape): ShapeClass {
  if (m <= 32) return "thin";
  if (batches * Math.ceil(m / 128) * Math.ceil(n / 128) < ENOUGH_TILES) return "few";
  return m <= 64 ? "narrow" : "large";
}

/** The tiling of each kind and class. */
export type Tilings = Readonly<Record<ProductShape["kind"], Readonly<Record<ShapeClass, TilingName>>>>;

/** What suits an adapter: its kernels for products, and the tilings of `tiled` ones. */
export interface Tuning {
  readonly strategy: "shared" | "tiled";
  readonly tilings: Tilings;
}

/** The tiling of a shape, by its class. */
export function tilingBy(tilings: Tilings): (shape: ProductShape) => TilingName {
  return (shape) => tilings[shape.kind][classOf(shape)];
}

const FITTING = { thin: "32x128", few: "64x64", narrow: "64x128", large: "128x128" } as const;
/** Tilings where none have been tried: no larger than leaves work for all of a processor's cores. */
export const UNTRIED: Tilings = { matmul: FITTING, conv: FITTING };

/** Threads of a workgroup. */
export function threadsOf({ high, wide }: Tiling): number {
  return high * wide / 64;
}

/**
 * Threads that follow each other, have the same rows and lie in one subgroup, of `lanes` usable threads; 1 where nothing is handed
 * round, as on adapters without subgroups.
 */
function sharersOf({ wide, deep, shuffled = false }: Tiling, lanes: number): number {
  return shuffled && lanes >= FEWEST_LANES ? Math.min(lanes, wide / 8, deep) : 1;
}

/** Lanes from which on a tiling may be shuffled. */
export const FEWEST_LANES = 4;

/** Bytes of workgroup memory. */
export function workgroupBytes({ high, wide, deep }: Tiling): number {
  return 2 * (high + wide) * deep * 4;
}

/**
 * Terms of a chunk, and chunks that they are cut into where there are few tiles and many terms: few outputs with long sums, as gradients
 * of weights are, need more workers. By the shape alone.
 */
export function chunksOfTerms(tiles: number, terms: number): { chunk: number; chunks: number } {
  const wanted = Math.max(1, Math.min(Math.floor(ENOUGH_TILES / tiles), Math.ceil(terms / CHUNK)));
  // chunks end where rounds do
  const chunk = Math.ceil(terms / wanted / 16) * 16;
  return { chunk, chunks: Math.ceil(terms / chunk) };
}

const CHUNK = 512;
const ENOUGH_TILES = 128;

/** How an operand's 4x4 blocks come: text that is given the number of a thread's share. */
export interface Source {
  /** Declarations before the rounds; `across` and `deep` are WGSL text of where the block lies. */
  start(share: number, across: string, deep: string): string[];
  /** An expression: four terms from `k` (WGSL text) on, as vectors across. */
  fetch(share: number, across: string, deep: string): string;
  /** What follows each round. */
  next?(share: number): string[];
  /** Whether threads that follow each other bring terms that do, rather than elements across. */
  readonly termsFirst: boolean;
}

/** Text of a kernel with its tile. */
export interface TileText {
  readonly tiling: Tiling;
  /** Threads that follow each other and lie in one subgroup; 0 for none. */
  readonly lanes: number;
  readonly a: Source;
  readonly b: Source;
  /** WGSL text of `deep`: compilers that unroll by it, and do the rest of the work for all threads of a CPU, take minutes. */
  readonly rounds: string;
  /** WGSL text of the grid's width, of the number of chunks, and of the terms of one. */
  readonly width: string;
  readonly chunks: string;
  readonly chunk: string;
  /** Statements once `b` (chunk and batch), `batch`, `m`, `n` and `first` are known. */
  readonly start: readonly string[];
}

/** A thread's share of what a round brings: blocks `from + local` of one operand, for threads `[first, end)`. */
interface Share {
  readonly operand: "a" | "b";
  readonly first: number;
  readonly end: number;
  readonly from: number;
}

/** What each thread brings a round, in steps that all threads take together. */
function sharesOf(tiling: Tiling): Share[][] {
  const threads = threadsOf(tiling), rows = tiling.deep / 4;
  const [left, right] = [tiling.high / 4 * rows, tiling.wide / 4 * rows];
  const steps: Share[][] = [];
  for (let at = 0; at < left + right; at += threads) {
    const share = (operand: "a" | "b", from: number, to: number): Share[] => {
      const [lo, hi] = [Math.max(from, at), Math.min(to, at + threads)];
      return lo < hi ? [{ operand, first: lo - at, end: hi - at, from: at - from }] : [];
    };
    steps.push([...share("a", 0, left), ...share("b", left, left + right)]);
  }
  return steps;
}

/** The functions of a kernel from `finish` on; `epilogue` is declared before. */
export function tileText({ tiling, lanes, a, b, rounds, width, chunks, chunk, start }: TileText): string {
  const { high, wide, deep } = tiling, threads = threadsOf(tiling), sharers = sharersOf(tiling, lanes);
  const steps = sharesOf(tiling), sources = { a, b }, sizes = { a: high / 4, b: wide / 4 };
  let count = 0;
  const numbered = steps.map((shares) => shares.map((share) => ({ ...share, id: count++ })));
  const guarded = ({ first, end }: Share, lines: readonly string[]): string[] => {
    if (first === 0 && end === threads) return [...lines];
    const tests = [...(first > 0 ? [`local >= ${first}u`] : []), ...(end < threads ? [`local < ${end}u`] : [])];
    return [`if (${tests.join(" && ")}) {`, ...indent(lines), "}"];
  };
  const places = numbered.flat().flatMap((share) => {
    const { id, operand, from } = share, source = sources[operand];
    const block = from === 0 ? "local" : from > 0 ? `(local + ${from}u)` : `(local - ${-from}u)`;
    const [fast, slow] = source.termsFirst ? [deep / 4, sizes[operand]] : [sizes[operand], deep / 4];
    const [low, top] = [`${block} % ${fast}u`, `(${block} / ${fast}u) % ${slow}u`];
    const [across, down] = source.termsFirst ? [top, low] : [low, top];
    return [
      `let across${id} = ${across};`,
      `let deep${id} = 4u * (${down});`,
      ...source.start(id, `across${id}`, `deep${id}`),
    ];
  });
  const bring = numbered.flatMap((shares, step) =>
    shares.flatMap((share) => {
      const { id, operand } = share, source = sources[operand];
      return [
        ...guarded(share, [`block${step} = ${source.fetch(id, `across${id}`, `deep${id}`)};`]),
        ...(source.next?.(id) ?? []),
      ];
    })
  );
  const put = numbered.flatMap((shares, step) =>
    shares.flatMap((share) => {
      const { id, operand } = share, line = sizes[operand];
      const at = `into * ${deep * line}u + deep${id} * ${line}u + across${id}`;
      return guarded(share, [0, 1, 2, 3].map((d) => `${operand}_tile[${at} + ${d * line}u] = block${step}[${d}];`));
    })
  );
  const eight = [0, 1, 2, 3, 4, 5, 6, 7];
  const multiply = multiplyText({ tiling, sharers, rounds });
  const id = sharers === 1 ? "" : ", @builtin(subgroup_invocation_id) id: u32";
  return [
    `var<workgroup> a_tile: array<vec4f, ${2 * deep * sizes.a}>;`,
    `var<workgroup> b_tile: array<vec4f, ${2 * deep * sizes.b}>;`,
    "",
    "fn finish(b: u32, row: u32, column: u32, sum: vec4f) {",
    "  if (row < K[0].x && column < K[0].y) {",
    "    epilogue(b, row, column, sum);",
    "  }",
    "}",
    "",
    `@compute @workgroup_size(${threads})`,
    `fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32${id}) {`,
    ...indent([
      `let wide = (K[0].y + ${wide - 1}u) / ${wide}u;`,
      `let high = (K[0].x + ${high - 1}u) / ${high}u;`,
      `let tile = group.y * ${width} + group.x;`,
      `if (tile >= wide * high * K[0].w * ${chunks}) {`,
      "  return;",
      "}",
      `let n = ${wide}u * (tile % wide);`,
      `let m = ${high}u * ((tile / wide) % high);`,
      "let b = tile / (wide * high);",
      "let batch = b % K[0].w;",
      `let first = (b / K[0].w) * ${chunk};`,
      `let end = min(first + ${chunk}, K[0].z);`,
      ...start,
      ...places,
      `let x = local % ${wide / 8}u;`,
      `let y = local / ${wide / 8}u;`,
      ...eight.flatMap((row) => [`var c${row} = vec4f();`, `var d${row} = vec4f();`]),
      ...steps.map((_, step) => `var block${step}: mat4x4f;`),
      "var k = first;",
      "var into = 0u;",
      "loop {",
      ...indent([
        // the terms of the next round are on their way while those of the last one are multiplied
        "let more = k < end;",
        "if (more) {",
        ...indent(bring),
        "}",
        "if (k > first) {",
        ...indent(multiply),
        "}",
        "if (!more) {",
        "  break;",
        "}",
        ...put,
        "workgroupBarrier();",
        "into = 1u - into;",
        `k += ${deep}u;`,
      ]),
      "}",
      ...eight.flatMap((row) => {
        const at = `m + 4u * y + ${row < 4 ? row : high / 2 + row - 4}u`;
        return [`finish(b, ${at}, n + 4u * x, c${row});`, `finish(b, ${at}, n + 4u * x + ${wide / 2}u, d${row});`];
      }),
    ]),
    "}",
    "",
  ].join("\n");
}

/** The loop over the terms of a round. */
function multiplyText(
  { tiling: { high, wide, deep }, sharers, rounds }: {
    readonly tiling: Tiling;
    readonly sharers: number;
    readonly rounds: string;
  },
): string[] {
  const before = (line: number) => `(1u - into) * ${deep * line / 4}u`;
  const left = (term: string) => `let left = ${before(high)} + ${term} * ${high / 4}u + y;`;
  const terms = (term: string) => [
    `let right = ${before(wide)} + ${term} * ${wide / 4}u + x;`,
    "let p = b_tile[right];",
    `let q = b_tile[right + ${wide / 8}u];`,
    ...["a", "e"].flatMap((name, half) =>
      [0, 1, 2, 3].flatMap((row) => {
        const [c, d, factor] = [`c${4 * half + row}`, `d${4 * half + row}`, `vec4f(${name}.${"xyzw"[row]})`];
        return [`${c} = fma(${factor}, p, ${c});`, `${d} = fma(${factor}, q, ${d});`];
      })
    ),
  ];
  if (sharers === 1) {
    return [
      `for (var i = 0u; i < ${rounds}; i++) {`,
      ...indent([left("i"), "let a = a_tile[left];", `let e = a_tile[left + ${high / 8}u];`, ...terms("i")]),
      "}",
    ];
  }
  return [
    // threads whose numbers differ in a bit below the sharers' count have places in the subgroup that differ in that bit alone
    `let from_id = id ^ (local % ${sharers}u);`,
    `for (var i = 0u; i < ${rounds}; i += ${sharers}u) {`,
    ...indent([
      left(`(i + local % ${sharers}u)`),
      "let own_a = a_tile[left];",
      `let own_e = a_tile[left + ${high / 8}u];`,
      `for (var j = 0u; j < ${sharers}u; j++) {`,
      ...indent([
        "let a = subgroupShuffle(own_a, from_id ^ j);",
        "let e = subgroupShuffle(own_e, from_id ^ j);",
        ...terms("(i + j)"),
      ]),
      "}",
    ]),
    "}",
  ];
}
