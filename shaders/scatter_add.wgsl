// scatter_add.wgsl   out[o, index[o, j, i], i] += src[o, j, i] for j = 0, 1, ...; one thread per column (o, i)
// in     src f32 or f16, index (i32, u32 or u8), params; any strides
// out    out: starts as init or 0, which an earlier kernel has stored; shares no slot with the inputs
// grid   columns / WG, folded over x and y
// WG     threads: 32..256; INDEX_BYTES 4, or 1 for u8
// maths  one addition per entry, in the order of j: the same bits every time
// oracle tests/support/reference_device_kernels.ts; exact order, f32
// variants WG=64|256 INDEX_BYTES=1|4
override WG: u32 = 64u;
override INDEX_BYTES: u32 = 4u;

const NONE: u32 = 0xffffffffu;

// (outer * inner, n, inner, size), (grid width, -, -, -), then per view (offset, dyn word or NONE) and three strides:
// src at 2 and 3, index at 4 and 5, out at 6 and 7
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
    // a negative index is a large unsigned one
    if (s < K[0].w) {
      out[to + s * K[7].y] += src_element(from_src);
    }
    from_src += K[3].y;
    from_index += K[5].y;
  }
}
