import { type Narrative, wrap } from '../lib/explain/index.js';
import { PAINT, paint } from './present.js';
import { block, blocks, type Styled } from './screen.js';

const WIDEST = 100;

/** The narrative as paragraphs for a terminal. */
export function presentNarrative(narrative: Narrative, stream: NodeJS.WriteStream, noColor?: boolean): Styled {
  const pen = paint(stream, noColor);
  const color = PAINT[narrative.state as keyof typeof PAINT];
  const width = Math.min(WIDEST, stream.columns || 80);
  const title = wrap(narrative.title, width, '');
  const parts = narrative.sections.map(({ heading, kind, sentences }) => {
    const body =
      kind === 'prose'
        ? wrap(sentences.join(' '), width, '  ')
        : sentences.flatMap((s) => wrap(s, width, '  ', '    '));
    return block([pen(heading, 'bold'), ...body]);
  });
  return blocks([block(title.map((line) => (color ? pen(line, color, 'bold') : pen(line, 'bold')))), ...parts]);
}
