import { type OtherName, type SignalsForm, signalsSchema } from '../signals/index.js';
import { PRESETS, presetNamed, unavailablePreset } from './presets.js';

/** `signals` in a configuration, with the presets. */
export const signalsWithPresets = signalsSchema(
  new Map(PRESETS.map(({ name, signals }) => [name, signals as SignalsForm])),
  otherName,
);

function otherName(name: string): OtherName | undefined {
  const meant = presetNamed(name);
  if (meant !== undefined) return { preset: meant.name };
  const unavailable = unavailablePreset(name);
  return unavailable && { problem: `there is no preset for ${unavailable.title}: ${unavailable.words}` };
}
