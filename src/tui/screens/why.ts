import type { Narrative, WhyMath } from '../../lib/explain/index.js';
import { assumptionText, odds, oneLine, seconds } from '../../lib/explain/index.js';
import { BLANK, type Line, span, wrapped } from '../draw/line.js';

/** The story, a sentence after the other. */
export function narrativeLines({ title, sections }: Narrative, width: number): Line[] {
  return [
    ...wrapped(title, width, { bold: true }),
    ...sections.flatMap(({ heading, kind, sentences }) => [
      [span(heading, { tone: 'active' })],
      ...(kind === 'prose'
        ? wrapped(sentences.join(' '), width, {}, '  ')
        : sentences.flatMap((sentence) => wrapped(sentence, width, {}, '  ', '    '))),
    ]),
  ];
}

/** The numbers behind the decision: questions of the judge, evidence, objectives. */
export function mathLines(math: WhyMath, width: number): Line[] {
  const { why, promise, bet, logic, evidence, check, assumptions, ticks } = math;
  const facts: [string, string | null][] = [
    [
      'decision',
      `${math.decision}${math.certainty === null ? '' : ` (${math.certainty})`}${why === null ? '' : `: ${why}`}`,
    ],
    ['promise', promise],
    ['time to action', math.time_to_action_sec === null ? null : seconds(math.time_to_action_sec)],
    ['evidence', bet === null ? null : `${odds(bet.logE)} against it (rolls back at ${odds(bet.logThreshold)})`],
    [
      'checks',
      ticks === null
        ? null
        : `${ticks.looked} of at most ${ticks.planned}, ${ticks.withData} with data, ${ticks.gaps} missed, ${ticks.resets} counter resets`,
    ],
    ['assumptions', assumptions.length === 0 ? null : assumptions.map(assumptionText).join('; ')],
    ['re-judged', check === null ? null : check.says],
  ];
  const named = (name: string, text: string): Line[] =>
    wrapped(oneLine(text), width, {}, name.padEnd(16), ' '.repeat(width < 60 ? 2 : 16));
  return [
    [span('Numbers', { bold: true })],
    ...facts.flatMap(([name, text]) => (text === null ? [] : named(name, text))),
    BLANK,
    [span('Objectives', { bold: true })],
    ...evidence.flatMap(({ says }) => wrapped(says, width, {}, '  ', '    ')),
    BLANK,
    [span('Questions of the judge, in order', { bold: true })],
    ...logic.flatMap(({ question, value, limit, answer }) =>
      wrapped(
        `${answer ? 'yes' : 'no '}  ${question}${value === null ? '' : `  ${number(value)}`}${limit === null ? '' : ` (limit ${number(limit)})`}`,
        width,
        answer ? {} : { tone: 'quiet' },
        '  ',
        '       ',
      ),
    ),
  ];
}

function number(value: number): string {
  return String(Number(value.toPrecision(5)));
}
