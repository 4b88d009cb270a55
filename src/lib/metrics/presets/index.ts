/**
 * What known systems expose: their counters and histograms in the form of `signals:`, what tells versions apart there,
 * and the trap of each. Data and look-ups only; `docs/presets/` has a page for each.
 */
export { signalsWithPresets } from './input.js';
export type { Preset } from './preset.js';
export {
  PRESETS,
  presetNamed,
  recognise,
  recogniseUnavailable,
  UNAVAILABLE_PRESETS,
  unavailablePreset,
  variantFor,
} from './presets.js';
