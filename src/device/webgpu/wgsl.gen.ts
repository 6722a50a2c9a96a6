// Written by tools/shaders.ts from shaders/*.wgsl; do not edit.

/** `shaders/conv_fold.wgsl` */
export const CONV_FOLD: string = `\
override WG: u32 = 64u;
@group(0) @binding(0) var<uniform> K: array<vec4u, 2>;
@group(0) @binding(1) var<storage, read> partials: array<vec4f>;
// hook epilogue
@group(0) @binding(2) var<storage, read_write> c: array<vec4f>;
fn epilogue(b: u32, m: u32, n: u32, acc: vec4f) {
  c[((b * K[0].x + m) * K[0].y + n) / 4u] = acc;
}
// end hook
@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32) {
  let strip = (group.y * K[1].x + group.x) * WG + local;
  let all = K[1].y * K[0].x * K[0].w;
  if (strip >= all) {
    return;
  }
  var sum = partials[strip];
  for (var chunk = 1u; chunk < K[0].z; chunk++) {
    sum += partials[chunk * all + strip];
  }
  let quad = strip % K[1].y;
  let n = quad / K[1].z * K[1].w + 4u * (quad % K[1].z);
  epilogue(strip / (K[1].y * K[0].x), (strip / K[1].y) % K[0].x, n, sum);
}
`;

/** `shaders/conv_pack.wgsl` */
export const CONV_PACK: string = `\
override WG: u32 = 64u;
@group(0) @binding(0) var<uniform> K: array<vec4u, 4>;
// hook a
@group(0) @binding(1) var<storage, read> a_data: array<f32>;
fn a_element(i: u32) -> f32 {
  return a_data[i];
}
fn a_base(g: u32) -> u32 {
  return g * K[0].x * K[0].y;
}
// end hook
// hook packed
@group(0) @binding(2) var<storage, read_write> packed: array<vec4f>;
// end hook
@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32) {
  let at = (group.y * K[3].z + group.x) * WG + local;
  let tile = at / (4u * K[3].x);
  let all = K[0].w * K[0].z * K[1].w;
  if (tile >= all * K[3].y) {
    return;
  }
  let inside = (tile / all) * K[3].x + (at / 4u) % K[3].x;
  let own = tile % all;
  let g = (own / K[0].w) % K[0].z;
  let k = own / (K[0].w * K[0].z) * K[1].z + inside;
  var value = vec4f();
  if (inside < K[1].z && k < K[0].y) {
    let m = 16u * (own % K[0].w) + 4u * (at % 4u);
    let from_k = a_base(g) + k / (K[1].x * K[1].y) * K[2].y + (k / K[1].y) % K[1].x * K[2].z + k % K[1].y * K[2].w;
    let rows = vec4u(m) + vec4u(0u, 1u, 2u, 3u);
    let r = vec4u(from_k) + min(rows, vec4u(K[0].x - 1u)) * K[2].x;
    let line = vec4f(a_element(r.x), a_element(r.y), a_element(r.z), a_element(r.w));
    value = select(vec4f(), line, rows < vec4u(K[0].x));
  }
  packed[at] = value;
}
`;

/** `shaders/conv_shared.wgsl` */
export const CONV_SHARED: string = `\
@group(0) @binding(0) var<uniform> K: array<vec4u, 7>;
// hook a
@group(0) @binding(1) var<storage, read> a_data: array<f32>;
fn a_element(i: u32) -> f32 {
  return a_data[i];
}
fn a_base(g: u32) -> u32 {
  return g * K[0].x * K[0].z;
}
// end hook
// hook b
@group(0) @binding(2) var<storage, read> b_data: array<f32>;
fn b_element(i: u32) -> f32 {
  return b_data[i];
}
fn b_base(g: u32) -> u32 {
  return g * K[0].y * K[0].z;
}
struct Guards {
  open: vec4<bool>,
}
fn guards_of(g: u32, n0: vec4u, n1: vec4u, n2: vec4u) -> Guards {
  return Guards(vec4<bool>(true));
}
fn guards_in(guards: Guards, k0: u32, k1: u32) -> Guards {
  return guards;
}
fn guards_at(guards: Guards, k2: u32) -> vec4<bool> {
  return guards.open;
}
// end hook
// hook epilogue
@group(0) @binding(3) var<storage, read_write> c: array<vec4f>;
fn epilogue(b: u32, m: u32, n: u32, acc: vec4f) {
  c[((b * K[0].x + m) * K[0].y + n) / 4u] = acc;
}
// end hook
struct Places {
  at: vec4u,
  guards: Guards,
}
fn places(g: u32, n: u32) -> Places {
  let all = min(vec4u(n) + vec4u(0u, 1u, 2u, 3u), vec4u(K[0].y - 1u));
  let n2 = all % K[1].w;
  let rest = all / K[1].w;
  let n1 = rest % K[1].z;
  let n0 = rest / K[1].z;
  let at = vec4u(b_base(g)) + n0 * K[4].x + n1 * K[4].y + n2 * K[4].z;
  return Places(at, guards_of(g, n0, n1, n2));
}
fn b_line(at: vec4u, open: vec4<bool>) -> vec4f {
  let inside = select(vec4u(0u), at, open);
  return select(vec4f(0.0), vec4f(b_element(inside.x), b_element(inside.y), b_element(inside.z), b_element(inside.w)), open);
}
var<workgroup> a_tile: array<vec4f, 256>;
var<workgroup> b_tile: array<vec4f, 256>;
fn advance(k: vec3u, by: vec3u) -> vec3u {
  var next = k + by;
  if (next.z >= K[1].y) {
    next.z -= K[1].y;
    next.y++;
  }
  if (next.y >= K[1].x) {
    next.y -= K[1].x;
    next.x++;
  }
  return next;
}
fn row1(a: f32, p: vec4f, q: vec4f, c: mat2x4f) -> mat2x4f {
  return mat2x4f(fma(vec4f(a), p, c[0]), fma(vec4f(a), q, c[1]));
}
fn pick(i: u32, c0: mat2x4f, c1: mat2x4f, c2: mat2x4f, c3: mat2x4f) -> vec4f {
  let right = (i & 1u) == 1u;
  let a = select(c0[0], c0[1], right);
  let b = select(c1[0], c1[1], right);
  let c = select(c2[0], c2[1], right);
  let d = select(c3[0], c3[1], right);
  return select(select(a, b, (i & 2u) == 2u), select(c, d, (i & 2u) == 2u), (i & 4u) == 4u);
}
fn finish(b: u32, row: u32, column: u32, sum: vec4f) {
  if (row < K[0].x && column < K[0].y) {
    epilogue(b, row, column, sum);
  }
}
@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32) {
  let wide = (K[0].y + 63u) / 64u;
  let high = (K[0].x + 63u) / 64u;
  let tile = group.y * K[5].x + group.x;
  if (tile >= wide * high * K[0].w * K[3].w) {
    return;
  }
  let n = 64u * (tile % wide);
  let m = 64u * ((tile / wide) % high);
  let b = tile / (wide * high);
  let g = b % K[0].w;
  let first = (b / K[0].w) * K[4].w;
  let end = min(first + K[4].w, K[0].z);
  let across = local % 16u;
  let deep = 4u * (local / 16u);
  let to = deep * 16u + across;
  let place = places(g, n + 4u * across);
  let rows = vec4u(a_base(g)) + min(vec4u(m + 4u * across) + vec4u(0u, 1u, 2u, 3u), vec4u(K[0].x - 1u)) * K[2].x;
  let start = first + deep;
  var k = vec3u(start / (K[1].x * K[1].y), (start / K[1].y) % K[1].x, start % K[1].y);
  let x = local % 8u;
  let y = local / 8u;
  var c0 = mat2x4f();
  var c1 = mat2x4f();
  var c2 = mat2x4f();
  var c3 = mat2x4f();
  var c4 = mat2x4f();
  var c5 = mat2x4f();
  var c6 = mat2x4f();
  var c7 = mat2x4f();
  for (var round = first; round < end; round += 16u) {
    var at = k;
    for (var d = 0u; d < 4u; d++) {
      var a = vec4f();
      var line = vec4f();
      if (round + deep + d < end) {
        let r = rows + dot(at, K[2].yzw);
        a = vec4f(a_element(r.x), a_element(r.y), a_element(r.z), a_element(r.w));
        line = b_line(place.at + dot(at, K[3].xyz), guards_at(guards_in(place.guards, at.x, at.y), at.z));
      }
      a_tile[to + 16u * d] = a;
      b_tile[to + 16u * d] = line;
      at = advance(at, vec3u(0u, 0u, 1u));
    }
    k = advance(k, K[6].xyz);
    workgroupBarrier();
    for (var d = 0u; d < 256u; d += 16u) {
      let a = a_tile[d + y];
      let e = a_tile[d + y + 8u];
      let p = b_tile[d + x];
      let q = b_tile[d + x + 8u];
      c0 = row1(a.x, p, q, c0);
      c1 = row1(a.y, p, q, c1);
      c2 = row1(a.z, p, q, c2);
      c3 = row1(a.w, p, q, c3);
      c4 = row1(e.x, p, q, c4);
      c5 = row1(e.y, p, q, c5);
      c6 = row1(e.z, p, q, c6);
      c7 = row1(e.w, p, q, c7);
    }
    workgroupBarrier();
  }
  for (var i = 0u; i < K[5].y; i++) {
    let row = m + 4u * y + i / 2u;
    let column = n + 4u * x + 32u * (i % 2u);
    finish(b, row, column, pick(i, c0, c1, c2, c3));
    finish(b, row + 32u, column, pick(i, c4, c5, c6, c7));
  }
}
`;

/** `shaders/conv_texel.wgsl` */
export const CONV_TEXEL: string = `\
override WG: u32 = 8u;
@group(0) @binding(0) var<uniform> K: array<vec4u, 8>;
@group(0) @binding(1) var a_texels: texture_storage_2d<rgba32float, read>;
@group(0) @binding(2) var b_texels: texture_storage_2d<rgba32float, read>;
// hook guards
struct Guards {
  open: vec4<bool>,
}
fn guards_of(g: u32, n0: vec4u, n1: vec4u, n2: vec4u) -> Guards {
  return Guards(vec4<bool>(true));
}
fn guards_in(guards: Guards, k0: u32, k1: u32) -> Guards {
  return guards;
}
fn guards_at(guards: Guards, k2: u32) -> vec4<bool> {
  return guards.open;
}
// end hook
// hook out
@group(0) @binding(3) var<storage, read_write> c: array<vec4f>;
fn finish(b: u32, m: u32, quad: u32, acc: vec4f) {
  c[(b * K[0].x + m) * K[7].x + quad] = acc;
}
// end hook
fn a_at(i: u32) -> vec4f {
  return textureLoad(a_texels, vec2u(i & 2047u, i >> 11u));
}
fn b_at(i: u32) -> vec4f {
  return textureLoad(b_texels, vec2u(i & 2047u, i >> 11u));
}
// hook quotient
fn quotient(n: u32, d: u32) -> u32 {
  return n / d;
}
// end hook
fn quotients(n: vec4u, d: u32) -> vec4u {
  return vec4u(quotient(n.x, d), quotient(n.y, d), quotient(n.z, d), quotient(n.w, d));
}
struct Places {
  at: vec4u,
  guards: Guards,
}
fn places(g: u32, quad: u32) -> Places {
  let row = quotient(quad, K[7].y);
  let first = vec4u(row * K[7].z + 4u * (quad - row * K[7].y));
  let all = min(first + vec4u(0u, 1u, 2u, 3u), vec4u(K[0].y - 1u));
  let rest = quotients(all, K[1].y);
  let n0 = quotients(rest, K[1].x);
  let n1 = rest - n0 * K[1].x;
  let n2 = all - rest * K[1].y;
  let at = vec4u(K[4].z + g * K[6].z) + n0 * K[3].x + n1 * K[4].x + n2 * K[4].y;
  return Places(at, guards_of(g, n0, n1, n2));
}
fn b_block(at: vec4u, open: vec4<bool>) -> mat4x4f {
  let first = select(vec4u(K[4].w), at, open);
  return transpose(mat4x4f(b_at(first.x), b_at(first.y), b_at(first.z), b_at(first.w)));
}
fn dot4(a: vec4f, b: mat4x4f, c: vec4f) -> vec4f {
  return fma(vec4f(a.w), b[3], fma(vec4f(a.z), b[2], fma(vec4f(a.y), b[1], fma(vec4f(a.x), b[0], c))));
}
fn row4(a: vec4f, p: mat4x4f, q: mat4x4f, c: mat2x4f) -> mat2x4f {
  return mat2x4f(dot4(a, p, c[0]), dot4(a, q, c[1]));
}
fn pick(i: u32, c0: mat2x4f, c1: mat2x4f, c2: mat2x4f, c3: mat2x4f) -> vec4f {
  let right = (i & 1u) == 1u;
  let a = select(c0[0], c0[1], right);
  let b = select(c1[0], c1[1], right);
  let c = select(c2[0], c2[1], right);
  let d = select(c3[0], c3[1], right);
  return select(select(a, b, (i & 2u) == 2u), select(c, d, (i & 2u) == 2u), (i & 4u) == 4u);
}
fn keep(b: u32, m: u32, quad: u32, acc: vec4f) {
  if (m < K[0].x && quad < K[7].x) {
    finish(b, m, quad, acc);
  }
}
@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32) {
  let wide = (K[7].x + 1u) / 2u;
  let high = (K[0].x + 15u) / 16u;
  let tile = (group.y * K[5].x + group.x) * WG + local;
  if (tile >= wide * high * K[0].z * K[5].w) {
    return;
  }
  let quads = 2u * (tile % wide);
  let m = 16u * ((tile / wide) % high);
  let b = tile / (wide * high);
  let g = b % K[0].z;
  let left = places(g, quads);
  let right = places(g, quads + 1u);
  let from_a = K[6].x + g * K[6].y;
  let last = K[0].x - 1u;
  let a0 = from_a + min(m + 0u, last) * K[2].x;
  let a1 = from_a + min(m + 1u, last) * K[2].x;
  let a2 = from_a + min(m + 2u, last) * K[2].x;
  let a3 = from_a + min(m + 3u, last) * K[2].x;
  let a4 = from_a + min(m + 4u, last) * K[2].x;
  let a5 = from_a + min(m + 5u, last) * K[2].x;
  let a6 = from_a + min(m + 6u, last) * K[2].x;
  let a7 = from_a + min(m + 7u, last) * K[2].x;
  let a8 = from_a + min(m + 8u, last) * K[2].x;
  let a9 = from_a + min(m + 9u, last) * K[2].x;
  let a10 = from_a + min(m + 10u, last) * K[2].x;
  let a11 = from_a + min(m + 11u, last) * K[2].x;
  let a12 = from_a + min(m + 12u, last) * K[2].x;
  let a13 = from_a + min(m + 13u, last) * K[2].x;
  let a14 = from_a + min(m + 14u, last) * K[2].x;
  let a15 = from_a + min(m + 15u, last) * K[2].x;
  var c0 = mat2x4f();
  var c1 = mat2x4f();
  var c2 = mat2x4f();
  var c3 = mat2x4f();
  var c4 = mat2x4f();
  var c5 = mat2x4f();
  var c6 = mat2x4f();
  var c7 = mat2x4f();
  var c8 = mat2x4f();
  var c9 = mat2x4f();
  var c10 = mat2x4f();
  var c11 = mat2x4f();
  var c12 = mat2x4f();
  var c13 = mat2x4f();
  var c14 = mat2x4f();
  var c15 = mat2x4f();
  let first = (b / K[0].z) * K[5].z;
  let stop = min(first + K[5].z, K[0].w);
  for (var quad = first; quad < stop; quad++) {
    for (var t1 = 0u; t1 < K[1].z; t1++) {
      let left_guards = guards_in(left.guards, 0u, t1);
      let right_guards = guards_in(right.guards, 0u, t1);
      var at = quad * K[3].y + t1 * K[3].z;
      var term = quad * K[2].y + t1 * K[2].z;
      for (var t2 = 0u; t2 < K[1].w; t2++) {
        let p = b_block(left.at + at, guards_at(left_guards, t2));
        let q = b_block(right.at + at, guards_at(right_guards, t2));
        c0 = row4(a_at(a0 + term), p, q, c0);
        c1 = row4(a_at(a1 + term), p, q, c1);
        c2 = row4(a_at(a2 + term), p, q, c2);
        c3 = row4(a_at(a3 + term), p, q, c3);
        c4 = row4(a_at(a4 + term), p, q, c4);
        c5 = row4(a_at(a5 + term), p, q, c5);
        c6 = row4(a_at(a6 + term), p, q, c6);
        c7 = row4(a_at(a7 + term), p, q, c7);
        c8 = row4(a_at(a8 + term), p, q, c8);
        c9 = row4(a_at(a9 + term), p, q, c9);
        c10 = row4(a_at(a10 + term), p, q, c10);
        c11 = row4(a_at(a11 + term), p, q, c11);
        c12 = row4(a_at(a12 + term), p, q, c12);
        c13 = row4(a_at(a13 + term), p, q, c13);
        c14 = row4(a_at(a14 + term), p, q, c14);
        c15 = row4(a_at(a15 + term), p, q, c15);
        at += K[3].w;
        term += K[2].w;
      }
    }
  }
  for (var i = 0u; i < K[5].y; i++) {
    let row = m + i / 2u;
    let place = quads + i % 2u;
    keep(b, row, place, pick(i, c0, c1, c2, c3));
    keep(b, row + 4u, place, pick(i, c4, c5, c6, c7));
    keep(b, row + 8u, place, pick(i, c8, c9, c10, c11));
    keep(b, row + 12u, place, pick(i, c12, c13, c14, c15));
  }
}
`;

/** `shaders/conv_thin.wgsl` */
export const CONV_THIN: string = `\
override WG: u32 = 64u;
@group(0) @binding(0) var<uniform> K: array<vec4u, 8>;
// hook a
@group(0) @binding(1) var<storage, read> a_data: array<f32>;
fn a_element(i: u32) -> f32 {
  return a_data[i];
}
fn a_base(g: u32) -> u32 {
  return g * K[0].x * K[0].z;
}
// end hook
// hook b
@group(0) @binding(2) var<storage, read> b_data: array<f32>;
fn b_element(i: u32) -> f32 {
  return b_data[i];
}
fn b_base(g: u32) -> u32 {
  return g * K[0].y * K[0].z;
}
struct Guards {
  open: vec4<bool>,
}
fn guards_of(g: u32, n0: vec4u, n1: vec4u, n2: vec4u) -> Guards {
  return Guards(vec4<bool>(true));
}
fn guards_in(guards: Guards, k0: u32, k1: u32) -> Guards {
  return guards;
}
fn guards_at(guards: Guards, k2: u32) -> vec4<bool> {
  return guards.open;
}
struct Places {
  at: u32,
  guards: Guards,
}
fn places(g: u32, quad: u32) -> Places {
  let row = quad / K[2].y;
  let n0 = row / K[1].z;
  let n1 = row % K[1].z;
  let n2 = 4u * (quad % K[2].y);
  let at = b_base(g) + n0 * K[4].x + n1 * K[4].y + n2 * K[4].z;
  return Places(at, guards_of(g, vec4u(n0), vec4u(n1), vec4u(n2) + vec4u(0u, 1u, 2u, 3u)));
}
fn b_line(at: u32, open: vec4<bool>) -> vec4f {
  return select(vec4f(0.0), vec4f(b_element(at), b_element(at + 1u), b_element(at + 2u), b_element(at + 3u)), open);
}
// end hook
// hook out
@group(0) @binding(3) var<storage, read_write> c: array<vec4f>;
fn finish(b: u32, m: u32, quad: u32, acc: vec4f) {
  c[(b * K[0].x + m) * K[2].z + quad] = acc;
}
// end hook
@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32) {
  let item = (group.y * K[5].x + group.x) * WG + local;
  if (item >= K[2].w * K[0].x * K[0].w * K[2].x) {
    return;
  }
  let quad = 2u * (item % K[2].w);
  let row = item / K[2].w;
  let m = row % K[0].x;
  let b = row / K[0].x;
  let g = b % K[0].w;
  let left_place = places(g, quad);
  let right_place = places(g, quad + 1u);
  let from_a = a_base(g) + m * K[7].x;
  var c = vec4f();
  var d = vec4f();
  let first = (b / K[0].w) * K[3].w;
  let stop = min(first + K[3].w, K[0].z);
  var left = stop - min(first, stop);
  var k2 = first % K[1].y;
  var k1 = (first / K[1].y) % K[1].x;
  var k0 = first / (K[1].x * K[1].y);
  while (left > 0u) {
    let left_guards = guards_in(left_place.guards, k0, k1);
    let right_guards = guards_in(right_place.guards, k0, k1);
    let end = min(K[1].y, k2 + left);
    left -= end - k2;
    var at = k0 * K[3].x + k1 * K[3].y + k2 * K[3].z;
    var term = from_a + k0 * K[7].y + k1 * K[7].z + k2 * K[7].w;
    for (; k2 < end; k2++) {
      let a = vec4f(a_element(term));
      c = fma(a, b_line(left_place.at + at, guards_at(left_guards, k2)), c);
      d = fma(a, b_line(right_place.at + at, guards_at(right_guards, k2)), d);
      at += K[3].z;
      term += K[7].w;
    }
    k2 = 0u;
    k1++;
    if (k1 == K[1].x) {
      k1 = 0u;
      k0++;
    }
  }
  finish(b, m, quad, c);
  if (quad + 1u < K[2].z) {
    finish(b, m, quad + 1u, d);
  }
}
`;

/** `shaders/conv_uniform.wgsl` */
export const CONV_UNIFORM: string = `\
override WG: u32 = 8u;
@group(0) @binding(0) var<uniform> K: array<vec4u, 7>;
@group(0) @binding(1) var<uniform> a_data: array<vec4f, 4096>;
// hook b
@group(0) @binding(2) var<storage, read> b_data: array<f32>;
fn b_element(i: u32) -> f32 {
  return b_data[i];
}
fn b_base(g: u32) -> u32 {
  return g * K[0].y * K[0].z;
}
struct Guards {
  open: vec4<bool>,
}
fn guards_of(g: u32, n0: vec4u, n1: vec4u, n2: vec4u) -> Guards {
  return Guards(vec4<bool>(true));
}
fn guards_in(guards: Guards, k0: u32, k1: u32) -> Guards {
  return guards;
}
fn guards_at(guards: Guards, k2: u32) -> vec4<bool> {
  return guards.open;
}
struct Places {
  at: u32,
  guards: Guards,
}
fn places(g: u32, quad: u32) -> Places {
  let row = quad / K[2].y;
  let n0 = row / K[1].z;
  let n1 = row % K[1].z;
  let n2 = 4u * (quad % K[2].y);
  let at = b_base(g) + n0 * K[4].x + n1 * K[4].y + n2 * K[4].z;
  return Places(at, guards_of(g, vec4u(n0), vec4u(n1), vec4u(n2) + vec4u(0u, 1u, 2u, 3u)));
}
fn b_line(at: u32, open: vec4<bool>) -> vec4f {
  return select(vec4f(0.0), vec4f(b_element(at), b_element(at + 1u), b_element(at + 2u), b_element(at + 3u)), open);
}
// end hook
// hook out
@group(0) @binding(3) var<storage, read_write> c: array<vec4f>;
fn start(b: u32, m: u32, quad: u32) -> vec4f {
  return vec4f();
}
fn finish(b: u32, m: u32, quad: u32, acc: vec4f) {
  c[(b * K[0].x + m) * K[2].z + quad] = acc;
}
// end hook
fn pick(i: u32, c: mat4x4f, d: mat4x4f) -> vec4f {
  let right = (i & 1u) == 1u;
  let low = select(select(c[0], d[0], right), select(c[1], d[1], right), (i & 2u) == 2u);
  let high = select(select(c[2], d[2], right), select(c[3], d[3], right), (i & 2u) == 2u);
  return select(low, high, (i & 4u) == 4u);
}
fn keep(b: u32, m: u32, quad: u32, acc: vec4f) {
  if (m < K[0].x && quad < K[2].z) {
    finish(b, m, quad, acc);
  }
}
@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32) {
  let number = group.y * K[5].x + group.x;
  if (number >= K[5].w * K[2].w) {
    return;
  }
  let own = number % K[5].w;
  let tile = K[5].z + own;
  let quad = 2u * (WG * (number / K[5].w) + local);
  let m = 16u * (tile % K[2].x);
  let b = tile / K[2].x;
  let g = b % K[0].w;
  let left_place = places(g, quad);
  let right_place = places(g, quad + 1u);
  var c0 = start(b, m + 0u, quad);
  var d0 = start(b, m + 0u, quad + 1u);
  var c1 = start(b, m + 1u, quad);
  var d1 = start(b, m + 1u, quad + 1u);
  var c2 = start(b, m + 2u, quad);
  var d2 = start(b, m + 2u, quad + 1u);
  var c3 = start(b, m + 3u, quad);
  var d3 = start(b, m + 3u, quad + 1u);
  var c4 = start(b, m + 4u, quad);
  var d4 = start(b, m + 4u, quad + 1u);
  var c5 = start(b, m + 5u, quad);
  var d5 = start(b, m + 5u, quad + 1u);
  var c6 = start(b, m + 6u, quad);
  var d6 = start(b, m + 6u, quad + 1u);
  var c7 = start(b, m + 7u, quad);
  var d7 = start(b, m + 7u, quad + 1u);
  var c8 = start(b, m + 8u, quad);
  var d8 = start(b, m + 8u, quad + 1u);
  var c9 = start(b, m + 9u, quad);
  var d9 = start(b, m + 9u, quad + 1u);
  var c10 = start(b, m + 10u, quad);
  var d10 = start(b, m + 10u, quad + 1u);
  var c11 = start(b, m + 11u, quad);
  var d11 = start(b, m + 11u, quad + 1u);
  var c12 = start(b, m + 12u, quad);
  var d12 = start(b, m + 12u, quad + 1u);
  var c13 = start(b, m + 13u, quad);
  var d13 = start(b, m + 13u, quad + 1u);
  var c14 = start(b, m + 14u, quad);
  var d14 = start(b, m + 14u, quad + 1u);
  var c15 = start(b, m + 15u, quad);
  var d15 = start(b, m + 15u, quad + 1u);
  let before = K[6].x * K[4].w;
  let chunk = (b / K[0].w) * K[3].w;
  let first = chunk + before;
  let stop = min(chunk + min(before + K[4].w, K[3].w), K[0].z);
  var left = stop - min(first, stop);
  var k2 = first % K[1].y;
  var k1 = (first / K[1].y) % K[1].x;
  var k0 = first / (K[1].x * K[1].y);
  var term = own * K[4].w * 4u;
  while (left > 0u) {
    let left_guards = guards_in(left_place.guards, k0, k1);
    let right_guards = guards_in(right_place.guards, k0, k1);
    let end = min(K[1].y, k2 + left);
    left -= end - k2;
    var at = k0 * K[3].x + k1 * K[3].y + k2 * K[3].z;
    for (; k2 < end; k2++) {
      let p = b_line(left_place.at + at, guards_at(left_guards, k2));
      let q = b_line(right_place.at + at, guards_at(right_guards, k2));
      var a = a_data[term + 0u];
      c0 = fma(vec4f(a.x), p, c0);
      d0 = fma(vec4f(a.x), q, d0);
      c1 = fma(vec4f(a.y), p, c1);
      d1 = fma(vec4f(a.y), q, d1);
      c2 = fma(vec4f(a.z), p, c2);
      d2 = fma(vec4f(a.z), q, d2);
      c3 = fma(vec4f(a.w), p, c3);
      d3 = fma(vec4f(a.w), q, d3);
      a = a_data[term + 1u];
      c4 = fma(vec4f(a.x), p, c4);
      d4 = fma(vec4f(a.x), q, d4);
      c5 = fma(vec4f(a.y), p, c5);
      d5 = fma(vec4f(a.y), q, d5);
      c6 = fma(vec4f(a.z), p, c6);
      d6 = fma(vec4f(a.z), q, d6);
      c7 = fma(vec4f(a.w), p, c7);
      d7 = fma(vec4f(a.w), q, d7);
      a = a_data[term + 2u];
      c8 = fma(vec4f(a.x), p, c8);
      d8 = fma(vec4f(a.x), q, d8);
      c9 = fma(vec4f(a.y), p, c9);
      d9 = fma(vec4f(a.y), q, d9);
      c10 = fma(vec4f(a.z), p, c10);
      d10 = fma(vec4f(a.z), q, d10);
      c11 = fma(vec4f(a.w), p, c11);
      d11 = fma(vec4f(a.w), q, d11);
      a = a_data[term + 3u];
      c12 = fma(vec4f(a.x), p, c12);
      d12 = fma(vec4f(a.x), q, d12);
      c13 = fma(vec4f(a.y), p, c13);
      d13 = fma(vec4f(a.y), q, d13);
      c14 = fma(vec4f(a.z), p, c14);
      d14 = fma(vec4f(a.z), q, d14);
      c15 = fma(vec4f(a.w), p, c15);
      d15 = fma(vec4f(a.w), q, d15);
      at += K[3].z;
      term += 4u;
    }
    k2 = 0u;
    k1++;
    if (k1 == K[1].x) {
      k1 = 0u;
      k0++;
    }
  }
  for (var i = 0u; i < K[5].y; i++) {
    let row = m + i / 2u;
    let which = quad + i % 2u;
    keep(b, row, which, pick(i, mat4x4f(c0, c1, c2, c3), mat4x4f(d0, d1, d2, d3)));
    keep(b, row + 4u, which, pick(i, mat4x4f(c4, c5, c6, c7), mat4x4f(d4, d5, d6, d7)));
    keep(b, row + 8u, which, pick(i, mat4x4f(c8, c9, c10, c11), mat4x4f(d8, d9, d10, d11)));
    keep(b, row + 12u, which, pick(i, mat4x4f(c12, c13, c14, c15), mat4x4f(d12, d13, d14, d15)));
  }
}
`;

/** `shaders/math.wgsl` */
export const MATH: string = `\
alias F = f32;
alias I = i32;
alias U = u32;
alias B = bool;
fn is_nan(x: F) -> B {
  return (bitcast<U>(x) & U(0x7fffffffu)) > U(0x7f800000u);
}
fn hidden(x: F, zero: u32) -> F {
  return bitcast<F>(bitcast<U>(x) ^ U(zero));
}
fn neg_f(x: F) -> F {
  return bitcast<F>(bitcast<U>(x) ^ U(0x80000000u));
}
fn lt_f(a: F, b: F) -> B {
  return (a < b) & !(is_nan(a) | is_nan(b));
}
fn le_f(a: F, b: F) -> B {
  return (a <= b) & !(is_nan(a) | is_nan(b));
}
fn is_special(x: F) -> B {
  return (bitcast<U>(x) & U(0x7f800000u)) == U(0x7f800000u);
}
fn with_sign(x: F, sign: F) -> F {
  return bitcast<F>((bitcast<U>(x) & U(0x7fffffffu)) | (bitcast<U>(sign) & U(0x80000000u)));
}
fn nan_max(a: F, b: F) -> F {
  return select(select(b, a, a > b), a + b, is_nan(a) | is_nan(b));
}
fn nan_min(a: F, b: F) -> F {
  return select(select(b, a, a < b), a + b, is_nan(a) | is_nan(b));
}
fn sign_f(x: F) -> F {
  return select(select(select(F(0.0), F(-1.0), x < F(0.0)), F(1.0), x > F(0.0)), x, is_nan(x));
}
fn pow2i(n: I) -> F {
  return bitcast<F>((n + I(127)) << U(23u));
}
fn expm1_core(r: F) -> F {
  var p = fma(r, F(2.48015873e-5), F(1.98412698e-4));
  p = fma(p, r, F(1.38888889e-3));
  p = fma(p, r, F(8.33333333e-3));
  p = fma(p, r, F(4.16666667e-2));
  p = fma(p, r, F(0.166666667));
  p = fma(p, r, F(0.5));
  return fma(p * r, r, r);
}
fn exp_sum(t: F, small: F) -> F {
  let n = round(clamp(t + small, F(-104.0), F(89.0)) * F(1.44269504));
  let i = I(n);
  let r = fma(n, F(2.12194440e-4), (clamp(t, F(-150.0), F(150.0)) - F(i * I(355)) * F(0.001953125)) + small);
  let h = i >> U(1u);
  return (expm1_core(clamp(r, F(-1.0), F(1.0))) + F(1.0)) * pow2i(h) * pow2i(i - h);
}
fn exp_f(x: F) -> F {
  return select(exp_sum(x, F(0.0)), x, is_nan(x));
}
fn log_exponent(x: F) -> I {
  return (bitcast<I>(x) - I(0x3f3504f3)) >> U(23u);
}
fn log_fraction(f: F) -> F {
  let s = f / (F(2.0) + f);
  let z = s * s;
  var p = fma(z, F(0.222222222), F(0.285714286));
  p = fma(p, z, F(0.4));
  p = fma(p, z, F(0.666666667));
  return f - s * (f - z * p);
}
fn log_f(x: F) -> F {
  let tiny = x < F(1.17549435e-38);
  let y = select(x, x * F(8388608.0), tiny);
  let e = log_exponent(y);
  let m = bitcast<F>(bitcast<I>(y) - (e << U(23u)));
  let n = F(e) - select(F(0.0), F(23.0), tiny);
  var r = fma(n, F(0.693359375), fma(n, F(-2.12194440e-4), log_fraction(m - F(1.0))));
  let bits = bitcast<U>(x);
  r = select(r, bitcast<F>(bits | U(0x7fc00000u)), x < F(0.0));
  r = select(r, bitcast<F>(bits | U(0xff800000u)), x == F(0.0));
  return select(r, x, is_special(x) & !(x < F(0.0)));
}
fn log1p_f(x: F) -> F {
  let near = abs(x + F(0.05)) < F(0.3);
  return select(log_f(F(1.0) + x), log_fraction(select(F(0.0), x, near)), near);
}
fn atan_f(x: F) -> F {
  let a = abs(x);
  let far = a > F(2.41421356);
  let mid = a > F(0.414213562);
  let divisor = select(select(F(1.0), a + F(1.0), mid), min(a, F(1e30)), far);
  let t = select(select(a, a - F(1.0), mid), F(-1.0), far) / divisor;
  let z = t * t;
  var p = fma(z, F(-0.0645192787), F(0.107437313));
  p = fma(p, z, F(-0.142639562));
  p = fma(p, z, F(0.199995399));
  p = fma(p, z, F(-0.333333313));
  let turn = select(select(F(0.0), F(0.785398163), mid), F(1.57079633), far);
  return select(with_sign(turn + fma(p * z, t, t), x), x, is_nan(x));
}
fn tanh_f(x: F) -> F {
  let a = abs(x);
  let z = x * x;
  let near = x * fma(z, z + F(105.0), F(945.0)) / fma(z, fma(z, F(15.0), F(420.0)), F(945.0));
  let far = with_sign(F(1.0) - F(2.0) / (exp_sum(F(2.0) * a, F(0.0)) + F(1.0)), x);
  return select(select(far, near, a < F(0.7)), x, is_nan(x));
}
fn erf_f(x: F) -> F {
  let a = abs(x);
  let z = x * x;
  var p = fma(z, F(-1.45e-7), F(1.6462114e-6));
  p = fma(p, z, F(-1.4925650e-5));
  p = fma(p, z, F(1.2055333e-4));
  p = fma(p, z, F(-8.5483275e-4));
  p = fma(p, z, F(5.2239776e-3));
  p = fma(p, z, F(-2.6866171e-2));
  p = fma(p, z, F(1.1283792e-1));
  p = fma(p, z, F(-3.7612639e-1));
  let near = fma(p, z * x, F(1.1283792) * x);
  let t = F(1.0) / fma(a, F(0.5), F(1.0));
  var q = fma(t, F(0.060909107), F(-0.11956652));
  q = fma(q, t, F(-0.06630688));
  q = fma(q, t, F(0.17612391));
  q = fma(q, t, F(0.12481186));
  q = fma(q, t, F(0.26263072));
  q = fma(q, t, F(0.27929337));
  q = fma(q, t, F(0.28236389));
  q = fma(q, t, F(-1.0833544e-5));
  let b = min(a, F(10.0));
  let far = with_sign(F(1.0) - exp_sum(-b * b, F(0.0)) * q, x);
  return select(select(far, near, a < F(0.84)), x, is_nan(x));
}
fn quarter_rest(x: F, n: F) -> F {
  let r = fma(n, F(-7.5497901e-8), fma(n, F(-4.837512969970703e-4), fma(n, F(-1.5703125), x)));
  return clamp(r, F(-1.0), F(1.0));
}
fn quarter_sin(r: F, turn: I) -> F {
  let z = r * r;
  var s = fma(z, F(2.7557319e-6), F(-1.9841270e-4));
  s = fma(s, z, F(8.3333333e-3));
  s = fma(s, z, F(-0.16666667));
  let sine = fma(s * z, r, r);
  var c = fma(z, F(-2.7557319e-7), F(2.4801587e-5));
  c = fma(c, z, F(-1.3888889e-3));
  c = fma(c, z, F(4.1666667e-2));
  c = fma(c, z, F(-0.5));
  let cosine = fma(c, z, F(1.0));
  let y = select(sine, cosine, (turn & I(1)) == I(1));
  return select(y, -y, (turn & I(2)) == I(2));
}
fn sin_f(x: F) -> F {
  let n = round(x * F(0.636619772));
  let r = quarter_rest(x, n);
  return select(quarter_sin(r, I(clamp(n, F(-1e9), F(1e9)))), bitcast<F>(bitcast<U>(x) | U(0x7fc00000u)), is_special(x));
}
fn cos_f(x: F) -> F {
  let n = round(x * F(0.636619772));
  let r = quarter_rest(x, n);
  return select(quarter_sin(r, I(clamp(n, F(-1e9), F(1e9))) + I(1)), bitcast<F>(bitcast<U>(x) | U(0x7fc00000u)), is_special(x));
}
fn pow_f(x: F, y: F) -> F {
  let a = abs(x);
  let tiny = a < F(1.17549435e-38);
  let v = select(a, a * F(8388608.0), tiny);
  let e = log_exponent(v);
  let n = F(e) - select(F(0.0), F(23.0), tiny);
  let first = bitcast<F>(bitcast<U>(y) & U(0xfffff000u));
  let log2_m = F(1.44269504) * log_fraction(bitcast<F>(bitcast<I>(v) - (e << U(23u))) - F(1.0));
  let whole_part = first * n;
  let rest = fma(y, log2_m, (y - first) * n);
  let k = round(clamp(whole_part + rest, F(-151.0), F(129.0)));
  let f = clamp((whole_part - k) + rest, F(-1.0), F(1.0));
  let i = I(k);
  let h = i >> U(1u);
  var r = (expm1_core(f * F(0.693147181)) + F(1.0)) * pow2i(h) * pow2i(i - h);
  r = select(r, exp_f(y * log_f(a)), is_special(a) | is_special(y) | (a == F(0.0)) | !(abs(whole_part) < F(1000.0)));
  let whole = floor(y) == y;
  let odd = whole & (abs(y) < F(16777216.0)) & ((I(clamp(y, F(-1.7e7), F(1.7e7))) & I(1)) == I(1));
  let minus = (bitcast<U>(x) & U(0x80000000u)) != U(0u);
  r = select(r, -r, minus & odd);
  r = select(r, bitcast<F>(bitcast<U>(x) | U(0x7fc00000u)), (x < F(0.0)) & !whole & !is_special(x) & !is_special(y));
  r = select(r, x + y, is_nan(x) | is_nan(y));
  return select(r, F(1.0), (y == F(0.0)) | (x == F(1.0)) | ((x == F(-1.0)) & is_special(y) & !is_nan(y)));
}
fn mod_f(a: F, b: F) -> F {
  let x = bitcast<U>(a) & U(0x7fffffffu);
  let y = bitcast<U>(b) & U(0x7fffffffu);
  let ex = max(x >> U(23u), U(1u));
  let ey = max(y >> U(23u), U(1u));
  let divisor = max((y & U(0x7fffffu)) | select(U(0u), U(0x800000u), y >= U(0x800000u)), U(1u));
  let dividend = (x & U(0x7fffffu)) | select(U(0u), U(0x800000u), x >= U(0x800000u));
  var places = select(ex - ey, U(0u), ex < ey);
  var r = dividend % divisor;
  while (any(places > U(0u))) {
    let now = min(places, U(8u));
    r = (r << now) % divisor;
    places -= now;
  }
  let scale = bitcast<I>(ey) - I(150);
  let h = scale >> U(1u);
  var result = with_sign(F(r) * pow2i(h) * pow2i(scale - h), a);
  result = select(result, a, x < y);
  let nan = bitcast<F>(bitcast<U>(a) | U(0x7fc00000u));
  return select(result, nan, (x >= U(0x7f800000u)) | (y > U(0x7f800000u)) | (y == U(0u)));
}
fn div_i(a: I, b: I) -> I {
  return select(a / select(b, I(1), b == I(0)), I(0), b == I(0));
}
fn mod_i(a: I, b: I) -> I {
  let d = select(b, I(1), b == I(0));
  return select(a - a / d * d, I(0), b == I(0));
}
fn div_u(a: U, b: U) -> U {
  return select(a / select(b, U(1u), b == U(0u)), U(0u), b == U(0u));
}
fn mod_u(a: U, b: U) -> U {
  return select(a % select(b, U(1u), b == U(0u)), U(0u), b == U(0u));
}
fn f_to_i(x: F) -> I {
  let y = I(clamp(x, F(-2147483648.0), F(2147483520.0)));
  return select(select(y, I(2147483647), x >= F(2147483648.0)), I(0), is_nan(x));
}
fn f_to_u(x: F) -> U {
  let y = U(clamp(x, F(0.0), F(4294967040.0)));
  return select(select(y, U(0xffffffffu), x >= F(4294967296.0)), U(0u), is_nan(x));
}
fn mul_high(a: U, b: U) -> U {
  let al = a & U(0xffffu);
  let ah = a >> U(16u);
  let bl = b & U(0xffffu);
  let bh = b >> U(16u);
  let low = al * bl;
  let mid = ah * bl + (low >> U(16u));
  let mid2 = al * bh + (mid & U(0xffffu));
  return ah * bh + (mid >> U(16u)) + (mid2 >> U(16u));
}
struct Philox {
  x: U,
  y: U,
}
fn philox(index: U, stream: U, seed0: U, seed1: U) -> Philox {
  var c0 = index;
  var c1 = stream;
  var c2 = U(0u);
  var c3 = U(0u);
  var k0 = seed0;
  var k1 = seed1;
  for (var i = 0u; i < 10u; i++) {
    let high0 = mul_high(c0, U(0xd2511f53u));
    let high1 = mul_high(c2, U(0xcd9e8d57u));
    let low0 = c0 * U(0xd2511f53u);
    let low1 = c2 * U(0xcd9e8d57u);
    c0 = high1 ^ c1 ^ k0;
    c1 = low1;
    c2 = high0 ^ c3 ^ k1;
    c3 = low0;
    k0 += U(0x9e3779b9u);
    k1 += U(0xbb67ae85u);
  }
  return Philox(c0, c1);
}
fn random_bits(index: U, stream: U, seed0: U, seed1: U) -> U {
  return philox(index, stream, seed0, seed1).x;
}
fn random_uniform(index: U, stream: U, seed0: U, seed1: U) -> F {
  return F(philox(index, stream, seed0, seed1).x >> U(8u)) * F(5.9604644775390625e-8);
}
fn random_normal(index: U, stream: U, seed0: U, seed1: U) -> F {
  let p = philox(index, stream, seed0, seed1);
  let u = F(p.x >> U(8u)) * F(5.9604644775390625e-8) + F(2.98023223876953125e-8);
  let turn = F(p.y >> U(8u)) * F(5.9604644775390625e-8);
  return sqrt(F(-2.0) * log_f(u)) * cos_f(F(6.28318531) * turn);
}
fn half_f(x: F) -> F {
  let size = bitcast<U>(x) & U(0x7fffffffu);
  let near = (size + U(0xfffu) + ((size >> U(13u)) & U(1u))) & U(0xffffe000u);
  let large = select(near, U(0x7f800000u), near >= U(0x47800000u));
  let small = bitcast<U>(round(bitcast<F>(size) * F(16777216.0)) * F(5.9604644775390625e-8));
  let rounded = select(select(large, small, size < U(0x38800000u)), U(0x7fc00000u), size > U(0x7f800000u));
  return bitcast<F>(rounded | (bitcast<U>(x) & U(0x80000000u)));
}
fn half_of(bits: vec4u) -> vec4f {
  let size = bits & vec4u(0x7fffu);
  let whole = size << vec4u(13u);
  let large = select(whole + vec4u(0x38000000u), whole | vec4u(0x7f800000u), size >= vec4u(0x7c00u));
  let small = bitcast<vec4u>(vec4f(size) * 5.9604644775390625e-8);
  return bitcast<vec4f>(select(large, small, size < vec4u(0x400u)) | ((bits & vec4u(0x8000u)) << vec4u(16u)));
}
fn half_four(words: vec2u) -> vec4f {
  return half_of(vec4u(words.x & 0xffffu, words.x >> 16u, words.y & 0xffffu, words.y >> 16u));
}
fn half_at(word: u32, at: u32) -> f32 {
  return half_of(vec4u((word >> (16u * (at % 2u))) & 0xffffu)).x;
}
fn bits_of_half(x: vec4f) -> vec4u {
  let size = bitcast<vec4u>(x) & vec4u(0x7fffffffu);
  let special = select(vec4u(0x7c00u), vec4u(0x7e00u), size > vec4u(0x7f800000u));
  let large = select((size >> vec4u(13u)) - vec4u(0x1c000u), special, size >= vec4u(0x47800000u));
  let small = vec4u(bitcast<vec4f>(size) * 16777216.0);
  let bits = select(large, small, size < vec4u(0x38800000u));
  return bits | ((bitcast<vec4u>(x) >> vec4u(16u)) & vec4u(0x8000u));
}
fn half_words(x: vec4f) -> vec2u {
  let bits = bits_of_half(x);
  return vec2u(bits.x | (bits.y << 16u), bits.z | (bits.w << 16u));
}
fn half_bits(x: f32) -> u32 {
  return bits_of_half(vec4f(x)).x;
}
`;

/** `shaders/matmul_register.wgsl` */
export const MATMUL_REGISTER: string = `\
override WG: u32 = 8u;
@group(0) @binding(0) var<uniform> K: array<vec4u, 4>;
// hook a
@group(0) @binding(1) var<storage, read> a_data: array<f32>;
fn a_element(i: u32) -> f32 {
  return a_data[i];
}
fn a_base(b: u32) -> u32 {
  return b * K[0].x * K[0].z;
}
fn a_at(base: u32, m: u32, k: u32) -> f32 {
  return a_element(base + m * K[1].x + k * K[1].y);
}
fn a_block(base: u32, m: u32, k: u32) -> mat4x4f {
  return mat4x4f(
    a_at(base, m, k), a_at(base, m, k + 1u), a_at(base, m, k + 2u), a_at(base, m, k + 3u),
    a_at(base, m + 1u, k), a_at(base, m + 1u, k + 1u), a_at(base, m + 1u, k + 2u), a_at(base, m + 1u, k + 3u),
    a_at(base, m + 2u, k), a_at(base, m + 2u, k + 1u), a_at(base, m + 2u, k + 2u), a_at(base, m + 2u, k + 3u),
    a_at(base, m + 3u, k), a_at(base, m + 3u, k + 1u), a_at(base, m + 3u, k + 2u), a_at(base, m + 3u, k + 3u),
  );
}
// end hook
// hook b
@group(0) @binding(2) var<storage, read> b_data: array<f32>;
fn b_element(i: u32) -> f32 {
  return b_data[i];
}
fn b_base(b: u32) -> u32 {
  return b * K[0].y * K[0].z;
}
fn b_at(base: u32, k: u32, n: u32) -> f32 {
  return b_element(base + k * K[1].z + n * K[1].w);
}
fn b_block(base: u32, k: u32, n: u32) -> mat4x4f {
  return mat4x4f(
    b_at(base, k, n), b_at(base, k, n + 1u), b_at(base, k, n + 2u), b_at(base, k, n + 3u),
    b_at(base, k + 1u, n), b_at(base, k + 1u, n + 1u), b_at(base, k + 1u, n + 2u), b_at(base, k + 1u, n + 3u),
    b_at(base, k + 2u, n), b_at(base, k + 2u, n + 1u), b_at(base, k + 2u, n + 2u), b_at(base, k + 2u, n + 3u),
    b_at(base, k + 3u, n), b_at(base, k + 3u, n + 1u), b_at(base, k + 3u, n + 2u), b_at(base, k + 3u, n + 3u),
  );
}
// end hook
// hook epilogue
@group(0) @binding(3) var<storage, read_write> c: array<vec4f>;
fn epilogue(b: u32, m: u32, n: u32, acc: vec4f) {
  c[((b * K[0].x + m) * K[0].y + n) / 4u] = acc;
}
// end hook
fn dot4(a: vec4f, b: mat4x4f, c: vec4f) -> vec4f {
  return fma(vec4f(a.w), b[3], fma(vec4f(a.z), b[2], fma(vec4f(a.y), b[1], fma(vec4f(a.x), b[0], c))));
}
fn row4(a: vec4f, p: mat4x4f, q: mat4x4f, c: mat2x4f) -> mat2x4f {
  return mat2x4f(dot4(a, p, c[0]), dot4(a, q, c[1]));
}
fn b_line(base: u32, k: u32, n: u32) -> vec4f {
  let last = K[0].y - 1u;
  return vec4f(
    b_at(base, k, min(n, last)), b_at(base, k, min(n + 1u, last)),
    b_at(base, k, min(n + 2u, last)), b_at(base, k, min(n + 3u, last)),
  );
}
fn pick(i: u32, c0: mat2x4f, c1: mat2x4f, c2: mat2x4f, c3: mat2x4f) -> vec4f {
  let right = (i & 1u) == 1u;
  let a = select(c0[0], c0[1], right);
  let b = select(c1[0], c1[1], right);
  let c = select(c2[0], c2[1], right);
  let d = select(c3[0], c3[1], right);
  return select(select(a, b, (i & 2u) == 2u), select(c, d, (i & 2u) == 2u), (i & 4u) == 4u);
}
fn finish(batch: u32, m: u32, n: u32, i: u32, whole: u32, sum: vec4f) {
  let row = m + i / 2u;
  let column = n + 4u * (i % 2u);
  if (row >= K[0].x || column >= K[0].y) {
    return;
  }
  var c = sum;
  for (var k = whole; k < K[0].z; k++) {
    c = fma(vec4f(a_at(a_base(batch), row, k)), b_line(b_base(batch), k, column), c);
  }
  epilogue(batch, row, column, c);
}
@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32) {
  let wide = (K[0].y + 7u) / 8u;
  let high = (K[0].x + 15u) / 16u;
  let tile = (group.y * K[2].x + group.x) * WG + local;
  if (tile >= wide * high * K[0].w) {
    return;
  }
  let n = 8u * (tile % wide);
  let m = 16u * ((tile / wide) % high);
  let batch = tile / (wide * high);
  let from_a = a_base(batch);
  let from_b = b_base(batch);
  var c0 = mat2x4f();
  var c1 = mat2x4f();
  var c2 = mat2x4f();
  var c3 = mat2x4f();
  var c4 = mat2x4f();
  var c5 = mat2x4f();
  var c6 = mat2x4f();
  var c7 = mat2x4f();
  var c8 = mat2x4f();
  var c9 = mat2x4f();
  var c10 = mat2x4f();
  var c11 = mat2x4f();
  var c12 = mat2x4f();
  var c13 = mat2x4f();
  var c14 = mat2x4f();
  var c15 = mat2x4f();
  let whole = K[0].z & ~3u;
  for (var k = 0u; k < whole; k += 4u) {
    let p = b_block(from_b, k, n);
    let q = b_block(from_b, k, n + 4u);
    var a = a_block(from_a, m, k);
    c0 = row4(a[0], p, q, c0);
    c1 = row4(a[1], p, q, c1);
    c2 = row4(a[2], p, q, c2);
    c3 = row4(a[3], p, q, c3);
    a = a_block(from_a, m + 4u, k);
    c4 = row4(a[0], p, q, c4);
    c5 = row4(a[1], p, q, c5);
    c6 = row4(a[2], p, q, c6);
    c7 = row4(a[3], p, q, c7);
    a = a_block(from_a, m + 8u, k);
    c8 = row4(a[0], p, q, c8);
    c9 = row4(a[1], p, q, c9);
    c10 = row4(a[2], p, q, c10);
    c11 = row4(a[3], p, q, c11);
    a = a_block(from_a, m + 12u, k);
    c12 = row4(a[0], p, q, c12);
    c13 = row4(a[1], p, q, c13);
    c14 = row4(a[2], p, q, c14);
    c15 = row4(a[3], p, q, c15);
  }
  for (var i = 0u; i < K[2].y; i++) {
    finish(batch, m, n, i, whole, pick(i, c0, c1, c2, c3));
    finish(batch, m + 4u, n, i, whole, pick(i, c4, c5, c6, c7));
    finish(batch, m + 8u, n, i, whole, pick(i, c8, c9, c10, c11));
    finish(batch, m + 12u, n, i, whole, pick(i, c12, c13, c14, c15));
  }
}
`;

/** `shaders/matmul_shared.wgsl` */
export const MATMUL_SHARED: string = `\
@group(0) @binding(0) var<uniform> K: array<vec4u, 4>;
// hook a
@group(0) @binding(1) var<storage, read> a_data: array<f32>;
fn a_element(i: u32) -> f32 {
  return a_data[i];
}
fn a_base(b: u32) -> u32 {
  return b * K[0].x * K[0].z;
}
fn a_at(base: u32, m: u32, k: u32) -> f32 {
  return a_element(base + m * K[1].x + k * K[1].y);
}
fn a_block(base: u32, m: u32, k: u32) -> mat4x4f {
  return mat4x4f(
    a_at(base, m, k), a_at(base, m, k + 1u), a_at(base, m, k + 2u), a_at(base, m, k + 3u),
    a_at(base, m + 1u, k), a_at(base, m + 1u, k + 1u), a_at(base, m + 1u, k + 2u), a_at(base, m + 1u, k + 3u),
    a_at(base, m + 2u, k), a_at(base, m + 2u, k + 1u), a_at(base, m + 2u, k + 2u), a_at(base, m + 2u, k + 3u),
    a_at(base, m + 3u, k), a_at(base, m + 3u, k + 1u), a_at(base, m + 3u, k + 2u), a_at(base, m + 3u, k + 3u),
  );
}
// end hook
// hook b
@group(0) @binding(2) var<storage, read> b_data: array<f32>;
fn b_element(i: u32) -> f32 {
  return b_data[i];
}
fn b_base(b: u32) -> u32 {
  return b * K[0].y * K[0].z;
}
fn b_at(base: u32, k: u32, n: u32) -> f32 {
  return b_element(base + k * K[1].z + n * K[1].w);
}
fn b_block(base: u32, k: u32, n: u32) -> mat4x4f {
  return mat4x4f(
    b_at(base, k, n), b_at(base, k, n + 1u), b_at(base, k, n + 2u), b_at(base, k, n + 3u),
    b_at(base, k + 1u, n), b_at(base, k + 1u, n + 1u), b_at(base, k + 1u, n + 2u), b_at(base, k + 1u, n + 3u),
    b_at(base, k + 2u, n), b_at(base, k + 2u, n + 1u), b_at(base, k + 2u, n + 2u), b_at(base, k + 2u, n + 3u),
    b_at(base, k + 3u, n), b_at(base, k + 3u, n + 1u), b_at(base, k + 3u, n + 2u), b_at(base, k + 3u, n + 3u),
  );
}
// end hook
// hook epilogue
@group(0) @binding(3) var<storage, read_write> c: array<vec4f>;
fn epilogue(b: u32, m: u32, n: u32, acc: vec4f) {
  c[((b * K[0].x + m) * K[0].y + n) / 4u] = acc;
}
// end hook
var<workgroup> a_tile: array<vec4f, 256>;
var<workgroup> b_tile: array<vec4f, 256>;
fn a_or_0(base: u32, m: u32, k: u32) -> f32 {
  return select(0.0, a_at(base, min(m, K[0].x - 1u), min(k, K[0].z - 1u)), k < K[0].z);
}
fn b_or_0(base: u32, k: u32, n: u32) -> f32 {
  return select(0.0, b_at(base, min(k, K[0].z - 1u), min(n, K[0].y - 1u)), k < K[0].z);
}
fn a_line(base: u32, m: u32, k: u32) -> vec4f {
  return vec4f(a_or_0(base, m, k), a_or_0(base, m + 1u, k), a_or_0(base, m + 2u, k), a_or_0(base, m + 3u, k));
}
fn b_line(base: u32, k: u32, n: u32) -> vec4f {
  return vec4f(b_or_0(base, k, n), b_or_0(base, k, n + 1u), b_or_0(base, k, n + 2u), b_or_0(base, k, n + 3u));
}
fn bring(a_from: u32, b_from: u32, m: u32, n: u32, k: u32, local: u32) {
  let across = local % 16u;
  let deep = 4u * (local / 16u);
  let ka = k + deep;
  let ma = m + 4u * across;
  let nb = n + 4u * across;
  var a: mat4x4f;
  var b: mat4x4f;
  if (ka + 4u <= K[0].z) {
    a = transpose(a_block(a_from, ma, ka));
    b = b_block(b_from, ka, nb);
  } else {
    a = mat4x4f(
      a_line(a_from, ma, ka), a_line(a_from, ma, ka + 1u), a_line(a_from, ma, ka + 2u), a_line(a_from, ma, ka + 3u),
    );
    b = mat4x4f(b_line(b_from, ka, nb), b_line(b_from, ka + 1u, nb), b_line(b_from, ka + 2u, nb), b_line(b_from, ka + 3u, nb));
  }
  let to = deep * 16u + across;
  a_tile[to] = a[0];
  a_tile[to + 16u] = a[1];
  a_tile[to + 32u] = a[2];
  a_tile[to + 48u] = a[3];
  b_tile[to] = b[0];
  b_tile[to + 16u] = b[1];
  b_tile[to + 32u] = b[2];
  b_tile[to + 48u] = b[3];
}
fn row1(a: f32, p: vec4f, q: vec4f, c: mat2x4f) -> mat2x4f {
  return mat2x4f(fma(vec4f(a), p, c[0]), fma(vec4f(a), q, c[1]));
}
fn pick(i: u32, c0: mat2x4f, c1: mat2x4f, c2: mat2x4f, c3: mat2x4f) -> vec4f {
  let right = (i & 1u) == 1u;
  let a = select(c0[0], c0[1], right);
  let b = select(c1[0], c1[1], right);
  let c = select(c2[0], c2[1], right);
  let d = select(c3[0], c3[1], right);
  return select(select(a, b, (i & 2u) == 2u), select(c, d, (i & 2u) == 2u), (i & 4u) == 4u);
}
fn finish(batch: u32, row: u32, column: u32, sum: vec4f) {
  if (row < K[0].x && column < K[0].y) {
    epilogue(batch, row, column, sum);
  }
}
@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32) {
  let wide = (K[0].y + 63u) / 64u;
  let high = (K[0].x + 63u) / 64u;
  let tile = group.y * K[2].x + group.x;
  if (tile >= wide * high * K[0].w) {
    return;
  }
  let n = 64u * (tile % wide);
  let m = 64u * ((tile / wide) % high);
  let batch = tile / (wide * high);
  let a_from = a_base(batch);
  let b_from = b_base(batch);
  let x = local % 8u;
  let y = local / 8u;
  var c0 = mat2x4f();
  var c1 = mat2x4f();
  var c2 = mat2x4f();
  var c3 = mat2x4f();
  var c4 = mat2x4f();
  var c5 = mat2x4f();
  var c6 = mat2x4f();
  var c7 = mat2x4f();
  for (var k = 0u; k < K[0].z; k += 16u) {
    bring(a_from, b_from, m, n, k, local);
    workgroupBarrier();
    for (var d = 0u; d < 256u; d += 16u) {
      let a = a_tile[d + y];
      let e = a_tile[d + y + 8u];
      let p = b_tile[d + x];
      let q = b_tile[d + x + 8u];
      c0 = row1(a.x, p, q, c0);
      c1 = row1(a.y, p, q, c1);
      c2 = row1(a.z, p, q, c2);
      c3 = row1(a.w, p, q, c3);
      c4 = row1(e.x, p, q, c4);
      c5 = row1(e.y, p, q, c5);
      c6 = row1(e.z, p, q, c6);
      c7 = row1(e.w, p, q, c7);
    }
    workgroupBarrier();
  }
  for (var i = 0u; i < K[2].y; i++) {
    let row = m + 4u * y + i / 2u;
    let column = n + 4u * x + 32u * (i % 2u);
    finish(batch, row, column, pick(i, c0, c1, c2, c3));
    finish(batch, row + 32u, column, pick(i, c4, c5, c6, c7));
  }
}
`;

/** `shaders/matmul_small.wgsl` */
export const MATMUL_SMALL: string = `\
override WG: u32 = 64u;
@group(0) @binding(0) var<uniform> K: array<vec4u, 4>;
// hook a
@group(0) @binding(1) var<storage, read> a_data: array<f32>;
fn a_element(i: u32) -> f32 {
  return a_data[i];
}
fn a_base(b: u32) -> u32 {
  return b * K[0].x * K[0].z;
}
fn a_at(base: u32, m: u32, k: u32) -> f32 {
  return a_element(base + m * K[1].x + k * K[1].y);
}
fn a_block(base: u32, m: u32, k: u32) -> mat4x4f {
  return mat4x4f(
    a_at(base, m, k), a_at(base, m, k + 1u), a_at(base, m, k + 2u), a_at(base, m, k + 3u),
    a_at(base, m + 1u, k), a_at(base, m + 1u, k + 1u), a_at(base, m + 1u, k + 2u), a_at(base, m + 1u, k + 3u),
    a_at(base, m + 2u, k), a_at(base, m + 2u, k + 1u), a_at(base, m + 2u, k + 2u), a_at(base, m + 2u, k + 3u),
    a_at(base, m + 3u, k), a_at(base, m + 3u, k + 1u), a_at(base, m + 3u, k + 2u), a_at(base, m + 3u, k + 3u),
  );
}
// end hook
// hook b
@group(0) @binding(2) var<storage, read> b_data: array<f32>;
fn b_element(i: u32) -> f32 {
  return b_data[i];
}
fn b_base(b: u32) -> u32 {
  return b * K[0].y * K[0].z;
}
fn b_at(base: u32, k: u32, n: u32) -> f32 {
  return b_element(base + k * K[1].z + n * K[1].w);
}
fn b_block(base: u32, k: u32, n: u32) -> mat4x4f {
  return mat4x4f(
    b_at(base, k, n), b_at(base, k, n + 1u), b_at(base, k, n + 2u), b_at(base, k, n + 3u),
    b_at(base, k + 1u, n), b_at(base, k + 1u, n + 1u), b_at(base, k + 1u, n + 2u), b_at(base, k + 1u, n + 3u),
    b_at(base, k + 2u, n), b_at(base, k + 2u, n + 1u), b_at(base, k + 2u, n + 2u), b_at(base, k + 2u, n + 3u),
    b_at(base, k + 3u, n), b_at(base, k + 3u, n + 1u), b_at(base, k + 3u, n + 2u), b_at(base, k + 3u, n + 3u),
  );
}
// end hook
// hook epilogue
@group(0) @binding(3) var<storage, read_write> c: array<vec4f>;
fn epilogue(b: u32, m: u32, n: u32, acc: vec4f) {
  c[((b * K[0].x + m) * K[0].y + n) / 4u] = acc;
}
// end hook
@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32) {
  let wide = (K[0].y + 3u) / 4u;
  let strip = (group.y * K[2].x + group.x) * WG + local;
  if (strip >= wide * K[0].x * K[0].w) {
    return;
  }
  let n = 4u * (strip % wide);
  let m = (strip / wide) % K[0].x;
  let batch = strip / (wide * K[0].x);
  let from_a = a_base(batch);
  let from_b = b_base(batch);
  let last = K[0].y - 1u;
  var c = vec4f();
  for (var k = 0u; k < K[0].z; k++) {
    let b = vec4f(
      b_at(from_b, k, n),
      b_at(from_b, k, min(n + 1u, last)),
      b_at(from_b, k, min(n + 2u, last)),
      b_at(from_b, k, min(n + 3u, last)),
    );
    c = fma(vec4f(a_at(from_a, m, k)), b, c);
  }
  epilogue(batch, m, n, c);
}
`;

/** `shaders/operand_any.wgsl` */
export const OPERAND_ANY: string = `\
@group(0) @binding(0) var<uniform> K: array<vec4u, 4>;
fn x_stride() -> vec2u {
  return K[1].xy;
}
fn x_end() -> vec2u {
  return K[0].xz;
}
// begin operand
// hook data
@group(0) @binding(1) var<storage, read> x_data: array<f32>;
fn x_element(i: u32) -> f32 {
  return x_data[i];
}
// end hook
fn x_at(base: u32, r: u32, c: u32) -> f32 {
  return x_element(base + r * x_stride().x + c * x_stride().y);
}
fn x_row(at: u32, c: u32) -> vec4f {
  let step = x_stride().y;
  let last = x_end().y - 1u;
  return vec4f(
    x_element(at + min(c, last) * step),
    x_element(at + min(c + 1u, last) * step),
    x_element(at + min(c + 2u, last) * step),
    x_element(at + min(c + 3u, last) * step),
  );
}
fn x_block(base: u32, r: u32, c: u32) -> mat4x4f {
  let step = x_stride().x;
  let last = x_end().x - 1u;
  var rows: array<vec4f, 4>;
  for (var i = 0u; i < K[2].z; i++) {
    rows[i] = x_row(base + min(r + i, last) * step, c);
  }
  return mat4x4f(rows[0], rows[1], rows[2], rows[3]);
}
// end operand
`;

/** `shaders/operand_columns.wgsl` */
export const OPERAND_COLUMNS: string = `\
@group(0) @binding(0) var<uniform> K: array<vec4u, 4>;
fn x_stride() -> vec2u {
  return K[1].xy;
}
fn x_end() -> vec2u {
  return K[0].xz;
}
// begin operand
// hook data
@group(0) @binding(1) var<storage, read> x_data: array<vec4f>;
fn x_vector(i: u32) -> vec4f {
  return x_data[i];
}
fn x_element(i: u32) -> f32 {
  return x_data[i / 4u][i % 4u];
}
// end hook
fn x_at(base: u32, r: u32, c: u32) -> f32 {
  return x_element(base + r + c * x_stride().y);
}
fn x_block(base: u32, r: u32, c: u32) -> mat4x4f {
  let last = x_end().y - 1u;
  let column = x_stride().y / 4u;
  let at = base / 4u + min(r, x_end().x - 4u) / 4u;
  return transpose(mat4x4f(
    x_vector(at + min(c, last) * column),
    x_vector(at + min(c + 1u, last) * column),
    x_vector(at + min(c + 2u, last) * column),
    x_vector(at + min(c + 3u, last) * column),
  ));
}
// end operand
`;

/** `shaders/operand_rows.wgsl` */
export const OPERAND_ROWS: string = `\
@group(0) @binding(0) var<uniform> K: array<vec4u, 4>;
fn x_stride() -> vec2u {
  return K[1].xy;
}
fn x_end() -> vec2u {
  return K[0].xz;
}
// begin operand
// hook data
@group(0) @binding(1) var<storage, read> x_data: array<vec4f>;
fn x_vector(i: u32) -> vec4f {
  return x_data[i];
}
fn x_element(i: u32) -> f32 {
  return x_data[i / 4u][i % 4u];
}
// end hook
fn x_at(base: u32, r: u32, c: u32) -> f32 {
  return x_element(base + r * x_stride().x + c);
}
fn x_block(base: u32, r: u32, c: u32) -> mat4x4f {
  let last = x_end().x - 1u;
  let row = x_stride().x / 4u;
  let at = base / 4u + min(c, x_end().y - 4u) / 4u;
  return mat4x4f(
    x_vector(at + min(r, last) * row),
    x_vector(at + min(r + 1u, last) * row),
    x_vector(at + min(r + 2u, last) * row),
    x_vector(at + min(r + 3u, last) * row),
  );
}
// end operand
`;

/** `shaders/operand_texels.wgsl` */
export const OPERAND_TEXELS: string = `\
// begin data
@group(0) @binding(1) var x_data: texture_storage_2d<rgba32float, read>;
fn x_vector(i: u32) -> vec4f {
  return textureLoad(x_data, vec2u(i & 2047u, i >> 11u));
}
fn x_element(i: u32) -> f32 {
  let all = x_vector(i / 4u);
  let pair = select(all.xy, all.zw, (i & 2u) == 2u);
  return select(pair.x, pair.y, (i & 1u) == 1u);
}
// end data
`;

/** `shaders/patch_word.wgsl` */
export const PATCH_WORD: string = `\
struct Patch {
  index: u32,
  mask: u32,
  bytes: u32,
  unused: u32,
}
@group(0) @binding(0) var<uniform> K: Patch;
@group(0) @binding(1) var<storage, read_write> words: array<u32>;
@compute @workgroup_size(1)
fn main() {
  words[K.index] = (words[K.index] & ~K.mask) | (K.bytes & K.mask);
}
`;

/** `shaders/probe.wgsl` */
export const PROBE: string = `\
@group(0) @binding(0) var<storage, read> a: array<vec4f>;
@group(0) @binding(1) var<storage, read> b: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> c: array<vec4f>;
fn outer(x: vec4f, y: vec4f, sum: mat4x4f) -> mat4x4f {
  return mat4x4f(sum[0] + x.x * y, sum[1] + x.y * y, sum[2] + x.z * y, sum[3] + x.w * y);
}
fn put(m: u32, n: u32, sum: mat4x4f) {
  c[m * 32u + n] = sum[0];
  c[(m + 1u) * 32u + n] = sum[1];
  c[(m + 2u) * 32u + n] = sum[2];
  c[(m + 3u) * 32u + n] = sum[3];
}
@compute @workgroup_size(64)
fn direct(@builtin(global_invocation_id) id: vec3u) {
  let m = id.x / 32u;
  let n = id.x % 32u;
  var sum = mat4x4f();
  for (var k = 0u; k < 128u; k++) {
    sum = outer(a[k * 32u + m], b[k * 32u + n], sum);
  }
  put(4u * m, n, sum);
}
// hook texels
@group(0) @binding(3) var a_texels: texture_storage_2d<rgba32float, read>;
@group(0) @binding(4) var b_texels: texture_storage_2d<rgba32float, read>;
@compute @workgroup_size(64)
fn texels(@builtin(global_invocation_id) id: vec3u) {
  let m = id.x / 32u;
  let n = id.x % 32u;
  var sum = mat4x4f();
  for (var k = 0u; k < 128u; k++) {
    sum = outer(textureLoad(a_texels, vec2u(m, k)), textureLoad(b_texels, vec2u(n, k)), sum);
  }
  put(4u * m, n, sum);
}
// end hook
var<workgroup> a_tile: array<vec4f, 128>;
var<workgroup> b_tile: array<vec4f, 128>;
@compute @workgroup_size(64)
fn staged(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32) {
  let m = local / 8u;
  let n = local % 8u;
  var sum = mat4x4f();
  for (var k = 0u; k < 128u; k += 16u) {
    for (var i = local; i < 128u; i += 64u) {
      a_tile[i] = a[(k + i / 8u) * 32u + group.y * 8u + i % 8u];
      b_tile[i] = b[(k + i / 8u) * 32u + group.x * 8u + i % 8u];
    }
    workgroupBarrier();
    for (var i = 0u; i < 16u; i++) {
      sum = outer(a_tile[8u * i + m], b_tile[8u * i + n], sum);
    }
    workgroupBarrier();
  }
  put(32u * group.y + 4u * m, 8u * group.x + n, sum);
}
`;

/** `shaders/quotient.wgsl` */
export const QUOTIENT: string = `\
// begin quotient
fn quotient(n: u32, d: u32) -> u32 {
  let inverse = 1.0 / f32(d);
  var q = u32(f32(n) * inverse);
  q += bitcast<u32>(i32(f32(bitcast<i32>(n - q * d)) * inverse));
  let rest = bitcast<i32>(n - q * d);
  return q + select(select(0u, 1u, rest >= bitcast<i32>(d)), 0xffffffffu, rest < 0);
}
// end quotient
`;

/** `shaders/scatter_add.wgsl` */
export const SCATTER_ADD: string = `\
override WG: u32 = 64u;
override INDEX_BYTES: u32 = 4u;
const NONE: u32 = 0xffffffffu;
@group(0) @binding(0) var<uniform> K: array<vec4u, 8>;
// hook src
@group(0) @binding(1) var<storage, read> src_data: array<f32>;
fn src_element(i: u32) -> f32 {
  return src_data[i];
}
// end hook
@group(0) @binding(2) var<storage, read> index: array<u32>;
@group(0) @binding(3) var<storage, read> params: array<u32>;
@group(0) @binding(4) var<storage, read_write> out: array<f32>;
fn start_of(view: u32, o: u32, i: u32) -> u32 {
  var at = K[view].x + o * K[view + 1u].x + i * K[view + 1u].z;
  if (K[view].y != NONE) {
    at += params[K[view].y];
  }
  return at;
}
fn index_at(at: u32) -> u32 {
  if (INDEX_BYTES == 1u) {
    return (index[at / 4u] >> (8u * (at % 4u))) & 0xffu;
  }
  return index[at];
}
@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32) {
  let column = (group.y * K[1].x + group.x) * WG + local;
  if (column >= K[0].x) {
    return;
  }
  let o = column / K[0].z;
  let i = column % K[0].z;
  var from_src = start_of(2u, o, i);
  var from_index = start_of(4u, o, i);
  let to = start_of(6u, o, i);
  for (var j = 0u; j < K[0].y; j++) {
    let s = index_at(from_index);
    if (s < K[0].w) {
      out[to + s * K[7].y] += src_element(from_src);
    }
    from_src += K[3].y;
    from_index += K[5].y;
  }
}
`;

/** `shaders/segments.wgsl` */
export const SEGMENTS: string = `\
@group(0) @binding(1) var<storage, read> table: array<u32>;
fn segment_of(c: u32, first: u32, count: u32) -> i32 {
  var low = 0u;
  var high = count;
  while (high - low > 1u) {
    let middle = (low + high) / 2u;
    if (table[first + middle] <= c) {
      low = middle;
    } else {
      high = middle;
    }
  }
  return i32(low);
}
`;

/** `shaders/texel_halves.wgsl` */
export const TEXEL_HALVES: string = `\
override WG: u32 = 64u;
@group(0) @binding(0) var<uniform> K: array<vec4u, 1>;
// hook x
@group(0) @binding(1) var<storage, read> x_data: array<vec4f>;
fn x_vector(i: u32) -> vec4f {
  return x_data[i];
}
// end hook
@group(0) @binding(2) var texels: texture_storage_2d<rgba32float, write>;
@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32) {
  let i = (group.y * K[0].z + group.x) * WG + local;
  if (i < K[0].y) {
    textureStore(texels, vec2u(i & 2047u, i >> 11u), x_vector(K[0].x + i));
  }
}
`;

/** `shaders/texel_pack.wgsl` */
export const TEXEL_PACK: string = `\
override WG: u32 = 64u;
@group(0) @binding(0) var<uniform> K: array<vec4u, 3>;
// hook x
@group(0) @binding(1) var<storage, read> x_data: array<f32>;
fn x_element(i: u32) -> f32 {
  return x_data[i];
}
fn x_base(g: u32) -> u32 {
  return g * K[0].z * K[1].x;
}
// end hook
// hook texels
@group(0) @binding(2) var texels: texture_storage_2d<rgba32float, write>;
// end hook
// hook quotient
fn quotient(n: u32, d: u32) -> u32 {
  return n / d;
}
// end hook
fn x_line(at: u32) -> vec4f {
  return vec4f(x_element(at), x_element(at + 1u), x_element(at + 2u), x_element(at + 3u));
}
fn put(at: u32, value: vec4f) {
  textureStore(texels, vec2u(at & 2047u, at >> 11u), value);
}
@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32) {
  let number = (group.y * K[1].w + group.x) * WG + local;
  if (number >= K[2].y) {
    if (number == K[2].y) {
      put(K[0].w, vec4f());
    }
    return;
  }
  let line = quotient(number, K[2].x);
  let p = 4u * (number - line * K[2].x);
  let block = quotient(line, K[0].y);
  let quad = line - block * K[0].y;
  let g = quotient(block, K[0].z);
  let o = block - g * K[0].z;
  let step = K[1].y;
  let first = x_base(g) + o * K[1].x + 4u * quad * step + p;
  let inside = vec4u(4u * quad) + vec4u(0u, 1u, 2u, 3u) < vec4u(K[1].z);
  let all = transpose(mat4x4f(x_line(first), x_line(first + step), x_line(first + 2u * step), x_line(first + 3u * step)));
  let at = line * K[0].x + p;
  put(at, select(vec4f(), all[0], inside));
  if (p + 1u < K[0].x) {
    put(at + 1u, select(vec4f(), all[1], inside));
  }
  if (p + 2u < K[0].x) {
    put(at + 2u, select(vec4f(), all[2], inside));
  }
  if (p + 3u < K[0].x) {
    put(at + 3u, select(vec4f(), all[3], inside));
  }
}
`;

/** `shaders/tree.wgsl` */
export const TREE: string = `\
override WG: u32 = 64u;
fn nan_max(a: f32, b: f32) -> f32 {
  let nan = ((bitcast<u32>(a) & 0x7fffffffu) > 0x7f800000u) | ((bitcast<u32>(b) & 0x7fffffffu) > 0x7f800000u);
  return select(select(b, a, a > b), a + b, nan);
}
fn nan_min(a: f32, b: f32) -> f32 {
  let nan = ((bitcast<u32>(a) & 0x7fffffffu) > 0x7f800000u) | ((bitcast<u32>(b) & 0x7fffffffu) > 0x7f800000u);
  return select(select(b, a, a < b), a + b, nan);
}
// begin tree
var<workgroup> tree_f32: array<f32, WG>;
fn tree_sum_f32(x: f32, t: u32) -> f32 {
  tree_f32[t] = x;
  for (var s = WG / 2u; s > 0u; s /= 2u) {
    workgroupBarrier();
    if (t < s) {
      tree_f32[t] += tree_f32[t + s];
    }
  }
  workgroupBarrier();
  let result = tree_f32[0];
  workgroupBarrier();
  return result;
}
fn tree_prod_f32(x: f32, t: u32) -> f32 {
  tree_f32[t] = x;
  for (var s = WG / 2u; s > 0u; s /= 2u) {
    workgroupBarrier();
    if (t < s) {
      tree_f32[t] *= tree_f32[t + s];
    }
  }
  workgroupBarrier();
  let result = tree_f32[0];
  workgroupBarrier();
  return result;
}
fn tree_max_f32(x: f32, t: u32) -> f32 {
  tree_f32[t] = x;
  for (var s = WG / 2u; s > 0u; s /= 2u) {
    workgroupBarrier();
    if (t < s) {
      tree_f32[t] = nan_max(tree_f32[t], tree_f32[t + s]);
    }
  }
  workgroupBarrier();
  let result = tree_f32[0];
  workgroupBarrier();
  return result;
}
fn tree_min_f32(x: f32, t: u32) -> f32 {
  tree_f32[t] = x;
  for (var s = WG / 2u; s > 0u; s /= 2u) {
    workgroupBarrier();
    if (t < s) {
      tree_f32[t] = nan_min(tree_f32[t], tree_f32[t + s]);
    }
  }
  workgroupBarrier();
  let result = tree_f32[0];
  workgroupBarrier();
  return result;
}
var<workgroup> tree_at_f32: array<u32, WG>;
fn better_max_f32(a: f32, ia: u32, b: f32, ib: u32) -> bool {
  let first = ib < ia;
  let a_nan = (bitcast<u32>(a) & 0x7fffffffu) > 0x7f800000u;
  let b_nan = (bitcast<u32>(b) & 0x7fffffffu) > 0x7f800000u;
  let wins = select(select((b > a) | ((b == a) & first), false, a_nan), !a_nan | first, b_nan);
  return (ib != 0xffffffffu) & ((ia == 0xffffffffu) | wins);
}
fn better_min_f32(a: f32, ia: u32, b: f32, ib: u32) -> bool {
  let first = ib < ia;
  let a_nan = (bitcast<u32>(a) & 0x7fffffffu) > 0x7f800000u;
  let b_nan = (bitcast<u32>(b) & 0x7fffffffu) > 0x7f800000u;
  let wins = select(select((b < a) | ((b == a) & first), false, a_nan), !a_nan | first, b_nan);
  return (ib != 0xffffffffu) & ((ia == 0xffffffffu) | wins);
}
fn tree_argmax_f32(x: f32, at: u32, t: u32) -> u32 {
  tree_f32[t] = x;
  tree_at_f32[t] = at;
  for (var s = WG / 2u; s > 0u; s /= 2u) {
    workgroupBarrier();
    if (t < s) {
      if (better_max_f32(tree_f32[t], tree_at_f32[t], tree_f32[t + s], tree_at_f32[t + s])) {
        tree_f32[t] = tree_f32[t + s];
        tree_at_f32[t] = tree_at_f32[t + s];
      }
    }
  }
  workgroupBarrier();
  let result = tree_at_f32[0];
  workgroupBarrier();
  return result;
}
fn tree_argmin_f32(x: f32, at: u32, t: u32) -> u32 {
  tree_f32[t] = x;
  tree_at_f32[t] = at;
  for (var s = WG / 2u; s > 0u; s /= 2u) {
    workgroupBarrier();
    if (t < s) {
      if (better_min_f32(tree_f32[t], tree_at_f32[t], tree_f32[t + s], tree_at_f32[t + s])) {
        tree_f32[t] = tree_f32[t + s];
        tree_at_f32[t] = tree_at_f32[t + s];
      }
    }
  }
  workgroupBarrier();
  let result = tree_at_f32[0];
  workgroupBarrier();
  return result;
}
// end tree
`;
