import type { Declared } from './families.js';

const COMMENT = /^#[ \t]+(TYPE|UNIT)[ \t]+(?:"((?:[^"\\\n]|\\.)*)"|(\S+))[ \t]+(\S+)[ \t]*\r?$/gm;

/** The `# TYPE` and `# UNIT` lines of a page in the text format or OpenMetrics; names may be quoted. */
export function declaredOn(page: string): Declared {
  const found = new Map<string, { type?: string; unit?: string }>();
  for (const [, kind, quoted, plain, value = ''] of page.matchAll(COMMENT)) {
    const name = quoted ?? plain ?? '';
    found.set(name, { ...found.get(name), ...(kind === 'TYPE' ? { type: value.toLowerCase() } : { unit: value }) });
  }
  return found;
}
