/**
 * From a draft to a kernel: its memory resolved, its domain folded to few axes, dead code left out.
 *
 * @module
 */
import type { Inst, Kernel, Store, View } from "../../device/contract.ts";
import { compact } from "./compact.ts";
import type { Draft } from "./draft.ts";
import { foldProduct } from "./product.ts";
import { pruned } from "./prune.ts";
import type { Stores } from "./whole.ts";

/** The kernel of a draft, or null if none of its results is live. */
export function finish(
  { frame, domain, outerRank, body, outputs }: Draft,
  stores: Stores,
  resolve: (view: View) => View,
): Kernel | null {
  const outs: (Store & { perRow: boolean })[] = outputs.flatMap(({ unit, at, inst, perRow }) => {
    const strides = frame.kind === "segmentSum" ? [1] : at.strides;
    return stores(unit, at.offset, strides).map((view) => ({ view, value: inst, perRow }));
  });
  if (outs.length === 0) return null;
  const resolved = body.map((inst): Inst => inst.k === "load" ? { ...inst, view: resolve(inst.view) } : inst);
  const views = outs.map((o) => o.view);
  const rank = domain.length;
  switch (frame.kind) {
    case "map": {
      const small = compact({ sizes: domain, folds: [[0, rank]], body: resolved, views });
      return {
        op: "map",
        shape: small.folded[0],
        ...pruned(small.body, small.views.map((view, i) => ({ view, value: outs[i].value }))),
      };
    }
    case "reduce": {
      const small = compact({
        sizes: domain,
        folds: [[0, outerRank], [outerRank, rank]],
        keepOne: 1,
        body: resolved,
        views,
      });
      const [outer, inner] = small.folded;
      return {
        op: "reduce",
        outer,
        inner,
        ...pruned(small.body, small.views.map((view, i) => ({ view, value: outs[i].value, perRow: outs[i].perRow }))),
      };
    }
    case "segmentSum":
      return {
        op: "segmentSum",
        n: frame.n,
        starts: frame.starts,
        ...pruned(resolved, outs.map(({ view, value }) => ({ view, value }))),
      };
    case "matmul": {
      const [a, b] = frame.operands.map(resolve);
      const batch = rank - 2;
      const k = frame.item.inputs[0].shape[frame.item.inputs[0].shape.length - 1];
      const small = compact({ sizes: domain, folds: [[0, batch]], body: resolved, views: [...views, a, b] });
      const folded = small.views.slice(0, views.length);
      return {
        op: "matmul",
        batch: small.folded[0],
        m: domain[batch],
        n: domain[batch + 1],
        k,
        a: small.views[views.length],
        b: small.views[views.length + 1],
        ...pruned(small.body, folded.map((view, i) => ({ view, value: outs[i].value }))),
      };
    }
    case "conv": {
      const { a, b } = frame.product;
      const product = { ...frame.product, a: resolve(a), b: resolve(b) };
      const small = foldProduct(product, resolved, views);
      return {
        op: "conv",
        ...small.product,
        ...pruned(small.body, small.views.map((view, i) => ({ view, value: outs[i].value }))),
      };
    }
  }
}
