/**
 * The sections of a narrative, one file for each.
 */
export { actionSentences } from './actions.js';
export { approvalSentences } from './approvals.js';
export { checksSentence, courseSentences } from './course.js';
export { decisionSentences } from './decision.js';
export { gapSentences } from './gaps.js';
export { type JobHistory, mathOfJob, narrateJob } from './job.js';
export { narrateModel } from './model.js';
export { nextSentences } from './next.js';
export { narratePromotion } from './promotion.js';
export { entryMeans, requestSentences, sourceSentences } from './request.js';
export { title } from './title.js';
