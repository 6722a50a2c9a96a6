/**
 * How a convolution is worked on: the copy of its right operand with a border of zeros, and the blocks of its product.
 *
 * @module
 */
import type { ConvKernel, Guard } from "../contract.ts";
import { product } from "./encoder/loops.ts";
import type { Tile } from "./tile.ts";

/** Depth of a block of the inner axis, as `KC` in `wasm/matmul.as.ts`. */
export const DEPTH = 256;
/** Products of so few rows are formed without panels of the right operand. */
export const THIN = 2;

/** The most columns of a block. */
export const MOST_COLUMNS = 1024;

/** The tile of the WebAssembly kernels, `MR` and `NR` there: offsets and runs of a block's rows, a panel, and offsets of its columns. */
export const WASM_TILE: Tile = {
  rows: 4,
  columns: 8,
  panel: 8,
  panelBytes: DEPTH * 4 + (DEPTH + 1) * 12 + DEPTH * 8 * 4 + MOST_COLUMNS * 4 + 4,
  workBytes: (96 * 256 + 256 * 512 + 4 * 8) * 4,
  narrowPad: 0,
};

/** The tile that machine code has for vectors of `lanes`; what comes before the block is in `wasm/native.as.ts`. */
export function nativeTile(lanes: number): Tile {
  const blocks = 80512;
  const workBytes = blocks + (192 + 33 * lanes) * DEPTH * 4;
  return {
    rows: lanes / 2,
    columns: lanes,
    panel: 2 * lanes,
    panelBytes: blocks,
    workBytes,
    narrowPad: lanes === 16 ? 48 : 0,
  };
}

/** An axis of the copy: the source's stride, and the part of the axis that is not border. */
interface Axis {
  readonly size: number;
  readonly stride: number;
  readonly from: number;
  readonly to: number;
  /** What one step along each axis of `[groups, ...k, ...n]` moves along this one. */
  readonly moves: readonly number[];
  /** The coordinate along this axis at coordinate 0 of the others. */
  readonly origin: number;
}

/** The copy of a right operand, in which no window leaves the memory. */
export interface Padding {
  readonly axes: readonly Axis[];
  /** Added to the source's offset for the copy's first element, which may be border. */
  readonly source: number;
  /** Offset and strides of the right operand within the copy, in elements. */
  readonly offset: number;
  readonly strides: readonly number[];
  readonly elements: number;
}

/** Least and greatest value of `sum(c[i] * strides[i])`. */
function extremes(strides: readonly number[], sizes: readonly number[]): [number, number] {
  let [low, high] = [0, 0];
  strides.forEach((s, i) => {
    if (s < 0) low += s * (sizes[i] - 1);
    else high += s * (sizes[i] - 1);
  });
  return [low, high];
}

const gcd = (a: number, b: number): number => b === 0 ? Math.abs(a) : gcd(b, a % b);

/**
 * The copy that makes guards unnecessary: an axis for each guard's form, with a border where the form is out of range, and
 * one for each axis that moves the address besides. Null if there is nothing to guard.
 */
export function planPadding({ groups, k, n, b, guards }: ConvKernel): Padding | null {
  const sizes = [groups, ...k, ...n];
  const out = guards.filter(({ offset, strides, size }) => {
    const [low, high] = extremes(strides, sizes);
    return offset + low < 0 || offset + high >= size;
  });
  if (out.length === 0) return null;
  const rest = sizes.map((size, i) => size === 1 ? 0 : b.strides[i]);
  const axes: Axis[] = [];
  let source = 0;
  const take = ({ offset, strides, size }: Guard, stride: number) => {
    const moves = strides.map((s, i) => sizes[i] === 1 ? 0 : s);
    const [low, high] = extremes(moves, sizes);
    const extent = high - low + 1, clip = (x: number) => Math.min(Math.max(x, 0), extent);
    // an axis that nothing guards has no border, whichever way its coordinates run
    const from = size === Infinity ? 0 : clip(-offset - low), to = Math.max(from, clip(size - offset - low));
    moves.forEach((s, i) => rest[i] -= s * stride);
    source += stride * low;
    axes.push({ size: extent, stride, from, to, moves, origin: -low });
  };
  for (const guard of out) {
    // the source's stride of the guarded coordinate, told by an axis that moves nothing else
    const own = sizes.findIndex((size, i) =>
      size > 1 && guard.strides[i] !== 0 && b.strides[i] % guard.strides[i] === 0 &&
      out.every((other) => other === guard || other.strides[i] === 0)
    );
    take(guard, own < 0 ? 0 : b.strides[own] / guard.strides[own]);
  }
  const free = (strides: readonly number[]) => take({ offset: 0, strides, size: Infinity }, 1);
  // windows that overlap along an unguarded axis: one axis of the copy for the tap and the place
  for (let i = 1; i <= k.length; i++) {
    for (let j = k.length + 1; j < sizes.length; j++) {
      if (rest[i] === 0 || rest[j] === 0) continue;
      const step = gcd(rest[i], rest[j]);
      const moves = sizes.map((_, axis) => axis === i || axis === j ? rest[axis] / step : 0);
      const [low, high] = extremes(moves, sizes);
      if (high - low + 1 < sizes[i] * sizes[j]) take({ offset: 0, strides: moves, size: Infinity }, step);
    }
  }
  sizes.forEach((_, i) => {
    if (rest[i] !== 0) {
      take({ offset: 0, strides: sizes.map((_, axis) => axis === i ? 1 : 0), size: Infinity }, rest[i]);
    }
  });
  while (axes.length < 2) free(sizes.map(() => 0));
  // as the source lies in memory, so that the copy runs along it
  axes.sort((x, y) => Math.abs(y.stride) - Math.abs(x.stride));
  const pitch = axes.map((_, i) => product(axes.slice(i + 1).map(({ size }) => size)));
  return {
    axes,
    source,
    offset: axes.reduce((sum, { origin }, i) => sum + origin * pitch[i], 0),
    strides: sizes.map((_, axis) => axes.reduce((sum, { moves }, i) => sum + moves[axis] * pitch[i], 0)),
    elements: product(axes.map(({ size }) => size)),
  };
}

/** The blocks of a product `[m, n]`, by its shape alone. */
export interface Blocks {
  /** Rows of a panel of the left operand: those of a tile, or 1 where there are too few to fill one. */
  readonly height: number;
  /** Whether the left operand is packed once for all, not by each block: where it is read often. */
  readonly packed: boolean;
  /** Rows of a block, a multiple of `height`, and how many blocks there are. */
  readonly rows: number;
  readonly rowBlocks: number;
  /** Columns of a block, a multiple of a tile's, and how many blocks there are. */
  readonly columns: number;
  readonly columnBlocks: number;
  /** Blocks of a group, and elements of one. */
  readonly count: number;
  readonly size: number;
  /** Parts that the inner axis is cut into, each summed by itself, and the depth of one, a multiple of {@link DEPTH}. */
  readonly parts: number;
  readonly depth: number;
}

const MOST_ROWS = 192, FEWEST_COLUMNS = 32, FEWEST_DEEP = 64, FEWEST_THIN = 256;
/** Inner axes from here on are better cut into parts than columns into narrow blocks. */
const DEEP = 8 * DEPTH;
/** Blocks of columns up to which each packs the left operand by itself. */
const FEW_READS = 2;
/** Elements of a block that stay in the first cache, where rows are few. */
const FEW_ELEMENTS = 8192;
/** Work items that are enough for a number of threads to share evenly. */
const ENOUGH = 16;

const up = (x: number, unit: number) => Math.ceil(x / unit) * unit;

/**
 * Cuts a product into blocks: enough for several threads, each large enough to be worth the packing. How the inner axis is cut, which
 * results depend on, is the same for every tile.
 */
export function planBlocks(groups: number, m: number, n: number, k: number, tile: Tile): Blocks {
  const thin = m <= THIN;
  const blocks = layBlocks(groups, m, n, k, thin ? { ...WASM_TILE, rows: 1 } : tile);
  const items = groups * (thin ? blocks : layBlocks(groups, m, n, k, WASM_TILE)).count;
  const cuts = items >= ENOUGH ? 1 : Math.max(1, Math.min(Math.ceil(ENOUGH / items), Math.floor(k / (2 * DEPTH))));
  const depth = up(k / cuts, DEPTH);
  const packed = thin || blocks.columnBlocks > FEW_READS;
  return { ...blocks, packed, parts: Math.ceil(k / depth), depth };
}

function layBlocks(groups: number, m: number, n: number, k: number, tile: Pick<Tile, "rows" | "columns">) {
  const rows = up(m / Math.ceil(m / MOST_ROWS), tile.rows), rowBlocks = Math.ceil(m / rows);
  const most = Math.min(MOST_COLUMNS, Math.max(128, up(FEW_ELEMENTS / rows, tile.columns)));
  const wanted = Math.ceil(ENOUGH / (groups * rowBlocks));
  const columns = Math.min(
    Math.max(up(n / wanted, tile.columns), m <= THIN ? FEWEST_THIN : k >= DEEP ? FEWEST_DEEP : FEWEST_COLUMNS),
    most,
    up(n, tile.columns),
  );
  const columnBlocks = Math.ceil(n / columns);
  return {
    height: tile.rows,
    rows,
    rowBlocks,
    columns,
    columnBlocks,
    count: rowBlocks * columnBlocks,
    size: rows * columns,
  };
}
