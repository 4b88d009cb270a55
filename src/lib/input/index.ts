/**
 * Reading what people write: YAML and JSON with problems in one line, names, durations, instants, addresses; and showing what came
 * from outside (`visible`). Part of the floor.
 */
export { annotatedYaml } from './annotated.js';
export { durationSeconds, isDuration, parseDuration } from './duration.js';
export { parseInstant } from './instant.js';
export { NAME_MOST, NAME_PATTERN, NAME_RULE, parseName } from './name.js';
export { inputError, nearest, type Problem, parseInput, quote } from './problems.js';
export { masked, maskedJson, maskUrls } from './secret-url.js';
export { parseText, yamlText } from './text.js';
export { isUrl, parseUrl, type UrlRules, urlProblem } from './url.js';
export { clip, oneLine, visible, visibleJson, visibleLines } from './visible.js';
export { withAdvice } from './with-advice.js';
