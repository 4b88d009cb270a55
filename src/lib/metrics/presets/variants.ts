import type { SignalsConfig } from '../signals/index.js';
import { signalsWithPresets } from './input.js';
import { presetNamed, variantFor } from './presets.js';

export { recogniseUnavailable } from './presets.js';

/**
 * The signals of the variant that a page has, where signals were made from a preset whose names another exporter writes.
 * Keys that the user gave stay.
 * @param names of the series or metrics that are there
 * @returns null: the preset fits, there is none, or no variant of it is there either
 */
export function fittingVariant(given: SignalsConfig, names: ReadonlySet<string>): SignalsConfig | null {
  const preset = given.preset === null ? undefined : presetNamed(given.preset);
  if (preset === undefined) return null;
  const variant = variantFor(preset, names);
  if (variant === preset) return null;
  const [before, after] = [preset, variant].map(({ name }) => signalsWithPresets.parse({ preset: name }));
  const merged = replaced(given, before!, after!);
  return { ...merged, histograms: replaced(given.histograms, before!.histograms, after!.histograms) };
}

/** Each key that is as it was `before` becomes what it is `after`. */
function replaced<T extends object>(given: T, before: T, after: T): T {
  const entries = Object.entries(given).map(([key, value]) => {
    const same = JSON.stringify(value) === JSON.stringify(before[key as keyof T]);
    return [key, same ? after[key as keyof T] : value];
  });
  return Object.fromEntries(entries) as T;
}
