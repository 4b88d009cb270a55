import type { Narrative } from '../lib/explain/index.js';
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

/** Lines of at most `width` characters, broken between words; a longer word stands alone. */
function wrap(text: string, width: number, first: string, rest = first): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    const indent = lines.length === 0 ? first : rest;
    if (line !== '' && indent.length + line.length + 1 + word.length > width) {
      lines.push(indent + line);
      line = word;
    } else line = line === '' ? word : `${line} ${word}`;
  }
  return [...lines, (lines.length === 0 ? first : rest) + line];
}
