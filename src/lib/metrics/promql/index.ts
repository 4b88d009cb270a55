/**
 * PromQL as far as lukhas has to understand it: shape, selectors, placeholders.
 */
export { checkPromql, type Placeholders, substitute } from './promql.js';
export {
  fillSelector,
  labelMatchers,
  type Matcher,
  parseSelector,
  type Selector,
  showSelector,
  writeSelector,
} from './selector.js';
export { type PromqlShape, promqlShape } from './shape.js';
export { escapeRegex } from './text.js';
