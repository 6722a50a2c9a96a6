// conv_uniform.wgsl   acc[g, m, n] = sum over k of a[g, m, k] b[g, k, n], b read through windows; a 16x8 tile per thread
// in     a: f32 as conv_pack.wgsl lays it, bound as a uniform: loads that are the same for all threads cost CPUs next to nothing there.
//        b: f32 or f16; the hook says where windows start and what is padding. K[0] = (m, n, k, groups), n and k counted row-major over three
//        axes, K[1] = last two sizes of k and of n, K[2] = tiles of rows, quads of a row of places, quads, strips of quads,
//        K[3] = strides of b (k), terms in a chunk, K[4] = strides of b (n), terms of a chunk that are bound, K[5] = grid width, 8
//        (a trip count that compilers must not unroll by), first tile and number of tiles, K[6].xy = which part of its chunk,
//        places that quads do not cross
// out    finish: four places that follow each other; those beyond the end of their row are for it to leave out. A tile starts
//        from 0, or from what the part before it left
// grid   tiles * ceil(quads / (2 WG)), folded over x and y
// WG     threads: 8..64, neighbours in n; they share rows of a
// maths  k in order, one fma each; places are taken apart once a thread, and no k is divided in the loop
// oracle tests/support/reference_device_kernels.ts; tolerance 1 ulp x sqrt(k)
// variants WG=8|32
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
fn start(b: u32, m: u32, quad: u32) -> vec4f {
  return vec4f();
}
fn finish(b: u32, m: u32, quad: u32, acc: vec4f) {
  c[(b * K[0].x + m) * K[2].z + quad] = acc;
}
// end hook

// piece i of four rows: row i / 2, left or right half
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
  // tiles first: workgroups that follow each other read the same windows
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
  // terms of this part of the chunk
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
