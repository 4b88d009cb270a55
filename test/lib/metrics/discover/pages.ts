import { type Facts, risen } from '../../../../src/lib/metrics/discover/facts.js';
import { parseExposition } from '../../../../src/lib/metrics/pages/exposition.js';

/** The buckets and the count of a histogram, as a page has them: `counts` are cumulative, the last is all. */
export function histogram(name: string, labels: string, bounds: readonly string[], counts: readonly number[]): string {
  const braces = (more: string) => `{${[labels, more].filter((part) => part !== '').join(',')}}`;
  return [
    `# TYPE ${name} histogram`,
    ...[...bounds, '+Inf'].map((le, i) => `${name}_bucket${braces(`le="${le}"`)} ${counts[i]}`),
    `${name}_sum${braces('')} 1`,
    `${name}_count${braces('')} ${counts.at(-1)}`,
  ].join('\n');
}

/** What is found of pages that were read twice, `seconds` apart; the first reading has what `before` makes of the page. */
export function facts(pages: string | readonly string[], seconds = 10, before?: (page: string) => string): Facts {
  const texts = typeof pages === 'string' ? [pages] : pages;
  const look = (text: string, at: number) => ({ at, samples: parseExposition(`${text}\n`, { openMetrics: false }) });
  const merged = (of: 'types' | 'units') => new Map(texts.flatMap((text) => [...declared(text)[of]]));
  return {
    series: texts.flatMap((text, page) =>
      risen(page, before === undefined ? null : look(before(text), 0), look(text, seconds * 1000)),
    ),
    types: merged('types'),
    units: merged('units'),
    seconds: before === undefined ? null : seconds,
    scrapeSeconds: null,
  };
}

/** Every number of a page divided by two: it served as much while it was measured as before. */
export function halved(page: string): string {
  return page.replace(/ (\d+)$/gm, (_, value: string) => ` ${Number(value) / 2}`);
}

const DECLARED = /^[ \t]*#[ \t]+(TYPE|UNIT)[ \t]+("(?:\\.|[^"\\])*"|\S+)[ \t]+(\S+)[ \t]*\r?$/gm;

/** The types and units that a page declares. */
function declared(page: string): Pick<Facts, 'types' | 'units'> {
  const [types, units] = [new Map<string, string>(), new Map<string, string>()];
  for (const [, what, name = '', value = ''] of page.matchAll(DECLARED))
    (what === 'TYPE' ? types : units).set(name.replace(/^"(.*)"$/, '$1'), value);
  return { types, units };
}
