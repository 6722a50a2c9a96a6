/**
 * CutMix.
 *
 * @module
 */
import { ShapeError } from "../base/errors.ts";
import { fmtShape } from "../base/shape.ts";
import { stepInput, type Tensor, where } from "../tensor/mod.ts";
import { symmetricBeta } from "./beta.ts";
import { MixHandler, type MixOptions } from "./mix_handler.ts";

/**
 * Trains on images `[n, c, h, w]` in which a box of another image is pasted; the same box for the whole batch.
 *
 * @see Yun et al. 2019, arXiv:1905.04899
 */
export class CutMix extends MixHandler {
  /**
   * Makes a CutMix.
   *
   * @param alpha Both parameters of the beta distribution; 1 by default.
   */
  constructor(alpha: number = 1, options: MixOptions = {}) {
    super(alpha, options);
  }

  /** Mixes the inputs of a batch. */
  protected override mix(order: Tensor): void {
    const { learn, source: rng } = this;
    const [x] = learn.xb;
    if (x.rank !== 4) {
      throw new ShapeError(`Cannot cut boxes of ${fmtShape(x.shape)}: images [n, c, h, w] are needed`);
    }
    const [h, w] = x.shape.slice(2);
    const side = Math.sqrt(1 - symmetricBeta(this.alpha, rng));
    const rows = span(h, side, rng.uniform()), cols = span(w, side, rng.uniform());
    const inside = mask(h, rows).reshape([h, 1]).and(mask(w, cols).reshape([1, w]));
    this.lambda = stepInput(1 - (rows[1] - rows[0]) * (cols[1] - cols[0]) / (h * w));
    learn.xb = [where(inside, x.indexSelect(order), x), ...learn.xb.slice(1)];
  }
}

/** A stretch of `side` of `n` around a center at `at`, cut off at the ends. */
function span(n: number, side: number, at: number): [number, number] {
  const length = Math.round(n * side), center = Math.floor(n * at);
  const clip = (v: number): number => Math.min(n, Math.max(0, v));
  return [clip(center - (length >> 1)), clip(center + (length >> 1))];
}

/** 1 in `[from, to)`, 0 elsewhere; data of the run, so that no box compiles anew. */
function mask(n: number, [from, to]: readonly [number, number]): Tensor {
  return stepInput(Uint32Array.from({ length: n }, (_, i) => i >= from && i < to ? 1 : 0));
}
