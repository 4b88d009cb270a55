import { visible } from '../../input/index.js';

/** Markup that is safe to show; only `html` makes it. */
class Html {
  constructor(readonly markup: string) {}
}

export type { Html };

/** A value in a template: text is escaped, markup is not, null is empty. */
export type Shown = Html | string | number | null | readonly Shown[];

/** Text from people is cut here, so that one name cannot fill a page. */
const LONGEST_TEXT = 400;

/** A template whose values are escaped, for elements and for attributes in double quotes. */
export function html(strings: TemplateStringsArray, ...values: Shown[]): Html {
  return new Html(strings.reduce((all, part, i) => `${all}${markupOf(values[i - 1] ?? null)}${part}`));
}

function markupOf(value: Shown): string {
  if (value === null) return '';
  if (value instanceof Html) return value.markup;
  if (typeof value === 'object') return value.map(markupOf).join('');
  return escapeText(String(value));
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

function escapeText(text: string): string {
  const shown = visible(text);
  const clipped = shown.length <= LONGEST_TEXT ? shown : `${shown.slice(0, LONGEST_TEXT)}…`;
  return clipped.replace(/[&<>"']/g, (c) => ENTITIES[c] ?? c);
}

/** A part that may be wider than the screen scrolls by itself, also by keyboard. */
export function scroller(label: Shown, wide: Shown, kind: 'wide' | 'narrow'): Html {
  return html`<div class="scroll ${kind}" role="group" aria-label="${label}" tabindex="0">${wide}</div>\n`;
}

/** A table with a caption; the first cell of a row is its heading. */
export function table(caption: Shown, head: readonly Shown[], rows: readonly (readonly Shown[])[]): Html {
  const heading = head.map((cell) => (cell === '' ? html`<td></td>` : html`<th scope="col">${cell}</th>`));
  const body = rows.map(([first = '', ...cells]) => {
    const rest = cells.map((cell) => html`<td>${cell}</td>`);
    return html`<tr><th scope="row">${first}</th>${rest}</tr>\n`;
  });
  const all = html`<table><caption>${caption}</caption>
<thead><tr>${heading}</tr></thead>
<tbody>
${body}</tbody></table>`;
  return scroller(caption, all, head.length > 2 ? 'wide' : 'narrow');
}
