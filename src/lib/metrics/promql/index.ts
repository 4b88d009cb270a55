/**
 * PromQL as far as lukhas has to understand it: shape, selectors, placeholders.
 */
export { fitAll, fits } from './match.js';
export { checkPromql, type Placeholders, substitute } from './promql.js';
export { disjoint, meet, narrows, selectsAmong } from './prove.js';
export {
  fillSelector,
  type Matcher,
  parseSelector,
  type Selector,
  showSelector,
  writeMatchers,
  writeSelector,
} from './selector.js';
export { type PromqlShape, promqlShape, type ShapeTerm } from './shape.js';
export { type Read, readMatchers, readSelector, readSum, showSum, type Term } from './sum.js';
export { escapeRegex, quote } from './text.js';
