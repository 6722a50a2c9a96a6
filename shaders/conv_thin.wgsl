// conv_thin.wgsl   acc[g, m, n] = sum over k of a[g, m, k] b[g, k, n] for groups of few rows, b read through windows: two quads of a row a thread
// in     a, b: f32 or f16; the hooks say where they start, where windows do, and what is padding. K[0] = (m, n, k, groups), n and k counted
//        row-major over three axes, K[1] = last two sizes of k and of n, K[2] = (chunks, quads of a row of places, quads, strips of two
//        quads), K[3] = strides of b (k), terms in a chunk, K[4] = strides of b (n), K[5].x = grid width, K[6].y = places that quads do
//        not cross, K[7] = strides of a (m, k)
// out    finish: four places that follow each other; those beyond the end of their row are for it to leave out
// grid   chunks * groups * m * strips / WG, folded over x and y
// WG     threads: 8..64, neighbours in n; a row's are next to each other and read the same a
// maths  k in order, one fma each
// oracle tests/support/reference_device_kernels.ts; tolerance 1 ulp x sqrt(k)
// variants WG=8|64
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
// forms of the guards at four places
fn guards_of(g: u32, n0: vec4u, n1: vec4u, n2: vec4u) -> Guards {
  return Guards(vec4<bool>(true));
}
// ... at the first two coordinates of k
fn guards_in(guards: Guards, k0: u32, k1: u32) -> Guards {
  return guards;
}
// ... and the last one: which of the four are not padding
fn guards_at(guards: Guards, k2: u32) -> vec4<bool> {
  return guards.open;
}
// four windows: where they start in b, and what guards them
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
// the four elements of the windows, 0 where padding
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
