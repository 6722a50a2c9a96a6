/**
 * The learner: the training loop with a method for each policy.
 *
 * @module
 */
export { Learner } from "./learner.ts";
export {
  collabLearner,
  type CollabLearnerOptions,
  tabularLearner,
  type TabularLearnerOptions,
} from "./table_learners.ts";
