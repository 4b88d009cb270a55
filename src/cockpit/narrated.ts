import type { Narrative } from '../lib/explain/index.js';
import { h } from './dom.js';

/** The story in words: each section under its heading. */
export function narrated({ sections }: Narrative): HTMLElement[] {
  return sections.flatMap(({ heading, kind, sentences }) => [
    h('h3', {}, heading),
    kind === 'list'
      ? h(
          'ul',
          {},
          sentences.map((sentence) => h('li', {}, sentence)),
        )
      : h('p', {}, sentences.join(' ')),
  ]);
}
