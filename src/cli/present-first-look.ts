import type { Finding } from '../lib/metrics/inspect/index.js';

/** What a first look found, as lines below each other; its warnings are told apart from it. */
export function firstLookLines(findings: readonly Finding[]): string[] {
  const found = findings.filter(({ level }) => level === 'info');
  if (found.length === 0) return [];
  const width = Math.max(...found.map(({ signal }) => signal?.length ?? 0));
  return [
    [
      'preflight check',
      ...found.map(({ arm, signal, words }) => `  ${(arm ?? '').padEnd(8)}  ${(signal ?? '').padEnd(width)}  ${words}`),
    ].join('\n'),
  ];
}
