/**
 * Opcodes of WebAssembly, as numbers. Those of the SIMD page are `0xfd00 | code` and larger ones `0xfd0000 | code`;
 * {@link Code.op} splits them.
 *
 * @module
 */

/** Value types. */
export const T = { i32: 0x7f, f32: 0x7d, v128: 0x7b } as const;

/** One of the numbers in {@link T}. */
export type WasmType = (typeof T)[keyof typeof T];

const simd = (code: number): number => 0xfd0000 | code;

/** Instructions that have no immediate. */
export const OP = {
  return: 0x0f,
  i32Eqz: 0x45,
  i32Eq: 0x46,
  i32Ne: 0x47,
  i32LtS: 0x48,
  i32LtU: 0x49,
  i32GtS: 0x4a,
  i32GeS: 0x4e,
  i32GeU: 0x4f,
  i32Add: 0x6a,
  i32Sub: 0x6b,
  i32Mul: 0x6c,
  i32DivS: 0x6d,
  i32DivU: 0x6e,
  i32RemS: 0x6f,
  i32RemU: 0x70,
  i32ShrU: 0x76,
  i32And: 0x71,
  i32Xor: 0x73,
  i32Or: 0x72,
  i32Shl: 0x74,
  select: 0x1b,
  i32x4Splat: simd(17),
  f32x4Splat: simd(19),
  i32x4Eq: simd(55),
  i32x4Ne: simd(56),
  i32x4LtS: simd(57),
  i32x4LtU: simd(58),
  i32x4GtS: simd(59),
  i32x4GtU: simd(60),
  i32x4LeS: simd(61),
  i32x4LeU: simd(62),
  i32x4GeS: simd(63),
  i32x4GeU: simd(64),
  f32x4Eq: simd(65),
  f32x4Ne: simd(66),
  f32x4Lt: simd(67),
  f32x4Gt: simd(68),
  f32x4Le: simd(69),
  f32x4Ge: simd(70),
  v128Not: simd(77),
  v128And: simd(78),
  v128Andnot: simd(79),
  v128Or: simd(80),
  v128Xor: simd(81),
  v128Bitselect: simd(82),
  v128AnyTrue: simd(83),
  f32x4Ceil: simd(0x67),
  f32x4Floor: simd(0x68),
  f32x4Nearest: simd(0x6a),
  i16x8NarrowI32x4U: simd(134),
  i16x8ExtendLowU8: simd(137),
  i32x4Abs: simd(160),
  i32x4Neg: simd(161),
  i32x4AllTrue: simd(163),
  i32x4ExtendLowU16: simd(169),
  i32x4Shl: simd(171),
  i32x4ShrS: simd(172),
  i32x4ShrU: simd(173),
  i32x4Add: simd(174),
  i32x4Sub: simd(177),
  i32x4Mul: simd(181),
  i32x4MinS: simd(182),
  i32x4MinU: simd(183),
  i32x4MaxS: simd(184),
  i32x4MaxU: simd(185),
  i64x2ExtmulLowU: simd(222),
  i64x2ExtmulHighU: simd(223),
  f32x4DemoteF64x2: simd(94),
  f64x2PromoteLow: simd(95),
  f64x2Add: simd(240),
  f32x4Abs: simd(224),
  f32x4Neg: simd(225),
  f32x4Sqrt: simd(227),
  f32x4Add: simd(228),
  f32x4Sub: simd(229),
  f32x4Mul: simd(230),
  f32x4Div: simd(231),
  f32x4Min: simd(232),
  f32x4Max: simd(233),
  f32x4Pmin: simd(234), // b < a ? b : a
  f32x4Pmax: simd(235), // a < b ? b : a
  i32x4TruncSatF32S: simd(248),
  i32x4TruncSatF32U: simd(249),
  f32x4ConvertI32S: simd(250),
  f32x4ConvertI32U: simd(251),
  f32x4RelaxedMadd: simd(0x105), // a b + c
} as const;

/** Loads and stores: an address on the stack, alignment and offset as immediates. */
export const MEM = {
  i32Load: 0x28,
  i32Load8U: 0x2d,
  i32Load16U: 0x2f,
  i32Store16: 0x3b,
  v128Load: simd(0),
  v128Load32Splat: simd(9),
  v128Load32Zero: simd(92),
  v128Load64Zero: simd(93),
  v128Store: simd(11),
  /** The lane loads and stores take one more immediate, the lane. */
  v128Load32Lane: simd(86),
  v128Store32Lane: simd(90),
  v128Store64Lane: simd(91),
} as const;

/** `i32.atomic.store`, of the page of threads. */
export const ATOMIC_STORE = 0xfe0017;

/** Instructions with a lane as their immediate. */
export const LANE = {
  i32x4Extract: simd(27),
  i32x4Replace: simd(28),
  f32x4Extract: simd(31),
  f32x4Replace: simd(32),
} as const;
