/** What a known serving system, proxy or instrumentation exposes, and how lukhas reads it. */
export interface Preset {
  name: string;
  /** The system as its makers write it. */
  title: string;
  /** In the user's form: what one would write under `signals:` in lukhas.yaml. */
  signals: Readonly<Record<string, unknown>>;
  /** What tells the versions apart: labels to write under `arms`; none: each version has a page of its own. */
  versions: { labels: readonly string[]; words: string };
  /** Whether failed requests can be seen in these metrics, and how or why not. */
  failures: { visible: boolean; words: string };
  /** What goes wrong most easily, in one or two sentences. */
  trap: string;
  /** Names of series by which the system is recognized: each of `all`, and at least one of `any`. */
  detect: { all?: readonly string[]; any?: readonly string[] };
  /** What was looked up, and when. */
  systemVersion: string;
  /** Name of the preset that is meant where another exporter of the same system writes the names of this one. */
  variantOf?: string;
}

/** A system without a preset: what its metrics lack. */
export interface UnavailablePreset {
  name: string;
  title: string;
  words: string;
}
