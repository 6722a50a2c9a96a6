// tree.wgsl   folds one value of each thread of a workgroup in a fixed tree; every thread gets the result
// in     x: the thread's value; t: its number, below WG; all threads call
// out    the fold; the generator makes i32 and u32 versions by renaming the type
// grid   none: a library
// WG     threads: power of two, 2..256
// oracle tests/support/reference_device_ops.ts; tolerance 1 ulp x log2(WG)
// variants WG=32|64|128|256
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

// Of two candidates the better one's index; 0xffffffff stands for none. Equal ones: the first. NaN beats all.
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
