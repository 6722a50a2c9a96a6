/**
 * Annealers and schedules: pure functions of the position in training.
 *
 * @module
 */
export {
  type Annealer,
  annealer,
  combinedCos,
  combineScheds,
  SchedCos,
  schedCos,
  SchedExp,
  schedExp,
  type SchedFormula,
  schedFromJson,
  SchedLin,
  schedLin,
  SchedNo,
  schedNo,
  SchedPoly,
  type Schedule,
  type ScheduleFunc,
  type ScheduleJson,
  type ScheduleValue,
} from "../schedule/mod.ts";
