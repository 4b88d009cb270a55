import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { ROOT } from '../lukhas.js';

export interface Rule {
  alert: string;
  expr: string;
  for?: string;
  labels: Record<string, string>;
  annotations: Record<string, string>;
}

export const RULES_FILE = join(ROOT, 'assets/alerts/lukhas.rules.yml');

/** The rules of the package, as they are shipped. */
export function shippedRules(): Rule[] {
  const { groups } = parse(readFileSync(RULES_FILE, 'utf8')) as { groups: { rules: Rule[] }[] };
  return groups.flatMap(({ rules }) => rules);
}

/** Paths of the runbooks, as rules name them. */
export function runbooks(): string[] {
  return readdirSync(join(ROOT, 'docs/runbooks')).map((file) => `docs/runbooks/${file}`);
}

/** Names of metrics and, of each, the labels that an expression selects by or keeps. Words of PromQL itself are left out. */
export function metricsIn(expr: string): { name: string; labels: string[] }[] {
  const found = expr.matchAll(/\b((?:lukhas|process|nodejs)_[a-z_]+|up)\b(?:\{([^}]*)\})?/g);
  return [...found].map(([, name = '', selector = '']) => ({
    name,
    labels: [...selector.matchAll(/([a-z_]+)\s*(?:=~|!~|!=|=)/g)].map(([, label = '']) => label),
  }));
}

/** The shipped file with shorter times: minutes become seconds, and where a threshold is a time, a few seconds. Nothing else changes. */
export function shortened(text: string): string {
  return text
    .replaceAll(/\[\d+[mh]\]/g, '[20s]')
    .replaceAll(/offset \d+m/g, 'offset 20s')
    .replaceAll(/for: \d+m/g, 'for: 2s')
    .replaceAll(/(_seconds) > (?:90|900|5400)$/gm, '$1 > 2');
}
