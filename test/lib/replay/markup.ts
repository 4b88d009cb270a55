/** Tags with the names of their attributes, in order; throws where the page is not well formed. */
export function structure(text: string): string[] {
  const open: string[] = [];
  const found: string[] = [];
  const body = text.replace(/^<!doctype html>\n/, '').replace(/<style>[^<]*<\/style>/, '<style></style>');
  let at = 0;
  while (at < body.length) {
    const begin = body.indexOf('<', at);
    const between = body.slice(at, begin < 0 ? undefined : begin);
    if (/[>"']/.test(between) || /&(?!(amp|lt|gt|quot|#39);)/.test(between)) throw new Error(`text: ${between}`);
    if (begin < 0) break;
    const tag = /^<(\/?)([a-z][a-zA-Z0-9]*)((?: [a-zA-Z-]+="[^"<>]*")*)(\/?)>/.exec(body.slice(begin, begin + 60_000));
    if (tag === null) throw new Error(`no tag: ${body.slice(begin, begin + 80)}`);
    const [whole, closing, name = '', attributes = '', selfClosing] = tag;
    at = begin + whole.length;
    if (closing === '/') {
      if (open.pop() !== name) throw new Error(`closes ${name}: ${body.slice(begin - 80, begin + 20)}`);
      continue;
    }
    found.push([name, ...[...attributes.matchAll(/ ([a-zA-Z-]+)=/g)].map(([, attribute]) => attribute)].join(' '));
    if (selfClosing === '' && name !== 'meta') open.push(name);
  }
  if (open.length > 0) throw new Error(`left open: ${open.join(', ')}`);
  return found;
}

/** Relative luminance (WCAG 2.2). */
export function luminance(hex: string): number {
  const [r = 0, g = 0, b = 0] = [0, 2, 4].map((i) => {
    const c = Number.parseInt(hex.slice(i, i + 2), 16) / 255;
    return c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}
