/**
 * Annealers and schedules: pure functions of the position in training.
 *
 * @module
 */
export type { Annealer, SchedFormula, Schedule, ScheduleFunc, ScheduleJson, ScheduleValue } from "./types.ts";
export {
  annealer,
  SchedCos,
  schedCos,
  SchedExp,
  schedExp,
  SchedLin,
  schedLin,
  SchedNo,
  schedNo,
  SchedPoly,
} from "./annealers.ts";
export { combinedCos, combineScheds } from "./combine.ts";
export { schedFromJson } from "./json.ts";
