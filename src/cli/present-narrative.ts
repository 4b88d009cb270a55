import { type Narrative, wrap } from '../lib/explain/index.js';
import { PAINT, paint } from './present.js';

const WIDEST = 100;

/** The narrative as paragraphs for a terminal. */
export function presentNarrative(narrative: Narrative, stream: NodeJS.WriteStream, noColor?: boolean): string {
  const chalk = paint(stream, noColor);
  const color = PAINT[narrative.state as keyof typeof PAINT];
  const width = Math.min(WIDEST, stream.columns || 80);
  const title = wrap(narrative.title, width, '').join('\n');
  const parts = narrative.sections.map(({ heading, kind, sentences }) => {
    const body =
      kind === 'prose'
        ? wrap(sentences.join(' '), width, '  ')
        : sentences.flatMap((s) => wrap(s, width, '  ', '    '));
    return [chalk.bold(heading), ...body].join('\n');
  });
  return [color ? chalk[color].bold(title) : chalk.bold(title), ...parts].join('\n\n');
}
