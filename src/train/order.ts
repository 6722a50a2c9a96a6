/**
 * Where callbacks stand in line: lower numbers are called first, ties in order of addition. The numbers are fastai's, so
 * that ported callbacks meet the same neighbours.
 *
 * @module
 */

/** Orders of the callbacks that come with the library. */
export const ORDER = {
  trainEval: -10,
  terminateOnNan: -9,
  normal: 0,
  gradientAccumulation: 6,
  mixedPrecision: 10,
  gradientClip: 11,
  distributed: 11,
  recorder: 50,
  afterRecorder: 51,
  schedule: 60,
  tracker: 60,
  saveModel: 61,
  reduceLr: 62,
  earlyStopping: 63,
  showGraph: 65,
  last: 70,
  checkpoint: 1000,
} as const;
