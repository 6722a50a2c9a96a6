/**
 * Operations made of simpler ones, and normalizations, as the single operators that ONNX has for them.
 *
 * @module
 */
import { sizeOf } from "../../base/shape.ts";
import type { GraphView, Written } from "./graph_view.ts";
import { type Dim, fixed, isFixed, sameDims } from "./symbolic.ts";
import { recurrent } from "./recurrent.ts";
import { reduceBy } from "./views.ts";
import { type Attr, float, type GraphWriter, layerName } from "./writer.ts";

/** How a value is written as one operator; null where it is no result of one. */
export function layers(g: GraphView, id: number): Written | null {
  return composed(g, id) ?? batchNorm(g, id) ?? layerNorm(g, id);
}

const REDUCED: Readonly<Record<string, string>> = {
  mean: "ReduceMean",
  max: "ReduceMax",
  min: "ReduceMin",
  logsumexp: "ReduceLogSumExp",
};

function composed(g: GraphView, id: number): Written | null {
  const op = g.op(id), { composite } = op;
  if (composite === null) return null;
  const { kind, inputs, attrs } = composite;
  const one = (type: string, more: Readonly<Record<string, Attr>> = {}): Written => ({
    inputs,
    write: (x, w) => w.node(type, x, more),
  });
  const list = (name: string) => attrs[name] as readonly number[], n = (name: string) => attrs[name] as number;
  switch (kind) {
    case "softmax":
      return one("Softmax", { axis: n("axis") });
    case "logSoftmax":
      return one("LogSoftmax", { axis: n("axis") });
    case "leakyRelu":
      return one("LeakyRelu", { alpha: float(n("alpha")) });
    case "elu":
      return one("Elu", { alpha: float(n("alpha")) });
    case "hardsigmoid":
      return one("HardSigmoid", { alpha: float(1 / 6), beta: float(0.5) });
    case "hardswish":
      return one("HardSwish");
    case "geluTanh":
      return g.opset >= 20 ? one("Gelu", { approximate: "tanh" }) : null;
    case "mish":
      return g.opset >= 18 ? one("Mish") : null;
    case "clamp":
      return {
        inputs,
        write: ([x], w) => {
          const bound = (name: string) => name in attrs ? w.scalar(n(name), op.dtype) : "";
          return w.node("Clip", [x, bound("min"), bound("max")]);
        },
      };
    case "cumsum":
      return { inputs, write: ([x], w) => w.node("CumSum", [x, w.int(n("axis"))]) };
    case "topk":
      return {
        inputs,
        write: ([x], w) => {
          const [, places] = w.nodeOf("TopK", [x, w.ints([n("k")])], { axis: n("axis") }, 2);
          return w.node("Cast", [places], { to: 6 });
        },
      };
    case "mean":
    case "max":
    case "min":
    case "logsumexp":
      return list("axes").length === 0
        ? null
        : { inputs, write: ([x], w) => reduceBy(w, REDUCED[kind], x, list("axes"), n("keepdim")) };
    case "conv":
    case "convTranspose":
      return convolution(g, id, kind === "conv" ? "Conv" : "ConvTranspose");
    case "maxPool":
    case "avgPool":
      return pool(g, id);
    case "recurrent":
      return recurrent(g, id);
    case "gridSample":
      return one("GridSample", {
        mode: attrs.mode === "bilinear" && g.opset >= 20 ? "linear" : attrs.mode as string,
        padding_mode: attrs.padding as string,
        align_corners: n("corners"),
      });
    case "interpolate":
      return resize(g, id);
    default:
      return null;
  }
}

function convolution(g: GraphView, id: number, type: string): Written {
  const { inputs, attrs } = g.op(id).composite!;
  const list = (name: string) => attrs[name] as readonly number[];
  const taps = g.op(inputs[1]).dims.slice(2).map((d) => d.rest);
  return {
    inputs,
    write: (x, w) =>
      w.node(type, x, {
        kernel_shape: taps,
        strides: list("stride"),
        pads: [...list("padding"), ...list("padding")],
        dilations: list("dilation"),
        group: attrs.groups as number,
        ...("more" in attrs ? { output_padding: list("more") } : {}),
      }, layerName(x[1])),
  };
}

function pool(g: GraphView, id: number): Written | null {
  const { dims, composite } = g.op(id);
  const { kind, inputs, attrs } = composite!;
  const list = (name: string) => attrs[name] as readonly number[];
  const taps = list("taps"), strides = list("stride"), before = list("padding"), dilations = list("dilation");
  const size = g.op(inputs[0]).dims.slice(2), places = dims.slice(2);
  if (![...size, ...places].every(isFixed)) return null;
  // as many places as there are, whatever the rounding: what is padded at the end is neither largest nor counted
  const after = taps.map((k, i) =>
    Math.max(0, (places[i].rest - 1) * strides[i] + (k - 1) * dilations[i] + 1 - size[i].rest - before[i])
  );
  const whole = taps.every((k, i) => k === size[i].rest && before[i] + after[i] === 0 && places[i].rest === 1);
  if (whole) {
    const type = kind === "maxPool" ? "GlobalMaxPool" : "GlobalAveragePool";
    return { inputs, write: (x, w) => w.node(type, x) };
  }
  const more = { kernel_shape: taps, strides, pads: [...before, ...after] };
  if (kind === "maxPool") return { inputs, write: (x, w) => w.node("MaxPool", x, { ...more, dilations }) };
  return {
    inputs,
    write: (x, w) => w.node("AveragePool", x, { ...more, count_include_pad: attrs.countPad as number }),
  };
}

function resize(g: GraphView, id: number): Written | null {
  const { inputs, attrs } = g.op(id).composite!;
  const from = g.op(inputs[0]).dims.slice(2).map((d) => d.rest), to = attrs.sizes as readonly number[];
  const nearest = attrs.mode === "nearest";
  const how: Record<string, Attr> = nearest
    ? { mode: "nearest", coordinate_transformation_mode: "asymmetric", nearest_mode: "floor" }
    : { mode: "linear", coordinate_transformation_mode: attrs.corners === 1 ? "align_corners" : "half_pixel" };
  const scales = to.map((n, i) => n / from[i]);
  if (scales.every(Number.isInteger)) { // for which no size need be known
    return {
      inputs,
      write: ([x], w) => {
        const by = w.initializer("scales", "f32", [4], Float32Array.of(1, 1, ...scales));
        return w.node("Resize", [x, "", by], how);
      },
    };
  }
  if (g.opset < 18) return null;
  return { inputs, write: ([x], w) => w.node("Resize", [x, "", "", w.ints(to)], { ...how, axes: [2, 3] }) };
}

/** `(x - mean) weight / sqrt(variance + eps) + bias` for each channel, all but `x` the same in every run. */
function batchNorm(g: GraphView, id: number): Written | null {
  const { dims, dtype } = g.op(id);
  if (dims.length < 2 || dtype !== "f32") return null;
  const channels = dims[1], own = [channels], wide = dims.map((_, i) => i === 1 ? channels : fixed(1));
  /** The vector of one number a channel that stands for a value; null where it is none. */
  const vector = (at: number): number | null => {
    const found = sameDims(g.op(at).dims, wide) ? g.reshaped(at, own) : null;
    return found !== null && g.constantOf(found, own) ? found : null;
  };
  let scaled = id, bias: number | null = null;
  const sum = g.operands(id, "add");
  if (sum !== null) {
    bias = vector(sum[1]);
    if (bias === null) return null;
    scaled = sum[0];
  }
  const product = g.operands(scaled, "mul");
  const difference = product === null ? null : g.operands(product[0], "sub");
  if (difference === null || !sameDims(g.op(difference[0]).dims, dims)) return null;
  const mean = vector(difference[1]), factor = vector(product![1]);
  if (mean === null || factor === null) return null;
  const weighted = g.operands(factor, "mul");
  const root = weighted === null ? factor : weighted[0], weight = weighted === null ? null : weighted[1];
  const inside = g.operands(root, "rsqrt")?.[0];
  const parts = inside === undefined ? null : g.operands(inside, "add");
  const eps = parts === null ? null : g.number(parts[1]);
  if (eps === null || !g.constantOf(parts![0], own) || weight !== null && !g.constantOf(weight, own)) return null;
  const given = [weight, bias].filter((v) => v !== null);
  return {
    inputs: [difference[0], mean, parts![0], ...given],
    write: ([x, m, v, ...rest], w) => {
      const scale = weight === null ? filled(w, channels, 1) : rest.shift()!;
      const shift = bias === null ? filled(w, channels, 0) : rest.shift()!;
      return w.node("BatchNormalization", [x, scale, shift, m, v], { epsilon: float(eps) }, layerName(scale));
    },
  };
}

function filled(w: GraphWriter, { rest }: Dim, value: number): string {
  return w.initializer(value === 0 ? "zeros" : "ones", "f32", [rest], new Float32Array(rest).fill(value));
}

/** What was brought to mean 0 and deviation 1 over its last axes, maybe with a factor and a shift for each element. */
function layerNorm(g: GraphView, id: number): Written | null {
  let at = id;
  const affine: (number | null)[] = [null, null];
  for (const [i, name] of [[1, "add"], [0, "mul"]] as const) {
    const found = g.operands(at, name);
    if (found === null) continue;
    affine[i] = found[1];
    at = found[0];
  }
  const made = g.operands(at, "normalized");
  if (made === null) return null;
  const axes = g.op(at).attr.map((a) => a.rest), [, x, factor] = made;
  const dims = g.op(x).dims, size = dims.slice(dims.length - axes.length);
  const trailing = axes.every((a, i) => a === dims.length - axes.length + i);
  const inside = g.operands(factor, "rsqrt")?.[0];
  const parts = inside === undefined ? null : g.operands(inside, "add");
  const eps = parts === null ? null : g.number(parts[1]);
  if (!trailing || eps === null || !size.every(isFixed)) return null;
  const [weight, bias] = affine;
  if ([weight, bias].some((v) => v !== null && !g.constantOf(v, size))) return null;
  const given = [weight, bias].filter((v) => v !== null);
  return {
    inputs: [x, ...given],
    write: ([v, ...rest], w) => {
      const sizes = size.map((d) => d.rest), n = sizeOf(sizes);
      const scale = weight === null ? w.initializer("ones", "f32", sizes, new Float32Array(n).fill(1)) : rest.shift()!;
      const shift = bias === null ? [] : [rest.shift()!];
      return w.node(
        "LayerNormalization",
        [v, scale, ...shift],
        { axis: -axes.length, epsilon: float(eps) },
        layerName(scale),
      );
    },
  };
}
