import type { Declared } from './families.js';

const COMMENT = /^#[ \t]+(TYPE|UNIT|HELP)[ \t]+(?:"((?:[^"\\\n]|\\.)*)"|(\S+))[ \t]+(\S.*?)[ \t]*\r?$/gm;

/** The `# TYPE`, `# UNIT` and `# HELP` lines of a page in the text format or OpenMetrics; names may be quoted. */
export function declaredOn(page: string): Declared {
  const found = new Map<string, { type?: string; unit?: string; help?: string }>();
  for (const [, kind, quoted, plain, value = ''] of page.matchAll(COMMENT)) {
    const name = quoted ?? plain ?? '';
    found.set(name, { ...found.get(name), ...said(kind!, value) });
  }
  return found;
}

function said(kind: string, value: string): { type: string } | { unit: string } | { help: string } {
  if (kind === 'HELP') return { help: value };
  return kind === 'TYPE' ? { type: value.toLowerCase() } : { unit: value };
}
