/**
 * The first look: what a source shows of itself, judged against what the signals and a policy need, before anything is recorded.
 * Pure; the adapters give the facts.
 */

export { declaredOn } from './declared.js';
export type { ArmFacts, ArmName, Facts, Family, Finding, Place } from './facts.js';
export { type Declared, familiesOf } from './families.js';
export { inspect, type Measured } from './inspect.js';
export { everythingOf, type Needs, neededOf, needsOf } from './needs.js';
export { type FetchedPage, inspectPages } from './of-pages.js';
export { otherVersion } from './other-version.js';
export { type ReadBy, selectorsOf, sharedSeries } from './shared.js';
export { isAlone } from './silence.js';
