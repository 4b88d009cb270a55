import { LANGUAGE_MODELS } from './language-models.js';
import { MODEL_SERVERS } from './model-servers.js';
import type { Preset, UnavailablePreset } from './preset.js';
import { PROXIES } from './proxies.js';
import { SERVICES } from './services.js';

/** From the most to the least specific: a vLLM page has the series of its web framework, an Istio page those of Envoy. */
export const PRESETS: readonly Preset[] = [...LANGUAGE_MODELS, ...MODEL_SERVERS, ...PROXIES, ...SERVICES];

/** Systems that people ask for, whose metrics cannot be judged. */
export const UNAVAILABLE_PRESETS: readonly UnavailablePreset[] = [
  {
    name: 'torchserve',
    title: 'TorchServe',
    words:
      'its latency is a running sum without a histogram, and its failures (Requests5XX) are those of the whole server, without a version. Measure it at the proxy in front, with the preset istio, envoy or nginx-ingress',
  },
  {
    name: 'llamacpp',
    title: 'llama.cpp server',
    words:
      'it counts tokens and has gauges, but counts neither requests nor failures and has no latency histogram, so its own page can show nothing that a canary is judged by. Put a proxy in front and measure there, with the preset istio, envoy, nginx-ingress or litellm',
  },
];

/** Other names that people write. */
const ALIASES: Readonly<Record<string, string>> = {
  'prom-client': 'express',
  'llama.cpp': 'llamacpp',
  'llama-cpp': 'llamacpp',
  tfserving: 'tf-serving',
  ray: 'ray-serve',
  'ingress-nginx': 'nginx-ingress',
  'spring-boot': 'spring',
};

const canonical = (name: string): string => ALIASES[name] ?? name;

/** By what the metrics of systems without a preset are known. */
const UNAVAILABLE_MARKS: Readonly<Record<string, RegExp>> = {
  torchserve: /^ts_inference_requests_total$/,
  llamacpp: /^llamacpp:/,
};

/** Systems among these names that cannot be judged by their own metrics. */
export function recogniseUnavailable(names: ReadonlySet<string>): UnavailablePreset[] {
  return UNAVAILABLE_PRESETS.filter(({ name }) => [...names].some((one) => UNAVAILABLE_MARKS[name]?.test(one)));
}

/** The preset of that name; undefined: there is none (see `unavailablePreset`). */
export function presetNamed(name: string): Preset | undefined {
  return PRESETS.find((preset) => preset.name === canonical(name));
}

/** Why there is no preset for a system that people ask for; undefined: nothing is known of it. */
export function unavailablePreset(name: string): UnavailablePreset | undefined {
  return UNAVAILABLE_PRESETS.find((preset) => preset.name === canonical(name));
}

/**
 * The systems whose metrics these are, best first.
 * @param names of series (`x_bucket`) or of metrics (`x`), of a page or of Prometheus
 */
export function recognise(names: ReadonlySet<string>): Preset[] {
  const there = (name: string): boolean =>
    names.has(name) ||
    names.has(`${name}_bucket`) ||
    names.has(`${name}_count`) ||
    names.has(name.replace(/_total$/, ''));
  return PRESETS.filter(({ detect: { all = [], any } }) => all.every(there) && (any?.some(there) ?? true));
}

/**
 * The preset, or its variant of another exporter where the page has the names of that one alone.
 * @param names as `recognise` takes them
 */
export function variantFor(preset: Preset, names: ReadonlySet<string>): Preset {
  const found = recognise(names);
  if (found.includes(preset)) return preset;
  const family = preset.variantOf ?? preset.name;
  return found.find(({ name, variantOf }) => (variantOf ?? name) === family) ?? preset;
}
