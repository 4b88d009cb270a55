import type { ObjectiveGlance } from '../../lib/judge/index.js';
import { type CanaryRow, type Cell, type Meter, type StateLook, stateLook } from '../../lib/view/index.js';
import type { Line, Span } from './line.js';
import { span } from './line.js';

/** A state as icon and word. Waiting for people is shown as what it is. */
export function stateSpan(row: Pick<CanaryRow, 'state' | 'approval'>): Span {
  return lookSpan(looksLike(row));
}

export function looksLike({ state, approval }: Pick<CanaryRow, 'state' | 'approval'>): StateLook {
  if (approval?.state !== 'awaiting') return stateLook(state);
  return { icon: '◐', word: `APPROVE ${approval.given}/${approval.required}`, tone: 'warn' };
}

export function lookSpan({ icon, word, tone }: StateLook): Span {
  return span(`${icon} ${word}`, { tone, bold: true });
}

/** Of a bar, how much is the limit; the rest is beyond it. */
const TO_LIMIT = 0.8;

/** How much of the limit is used: `████▒░░░│░`; what stands right of the mark is over the limit. */
export function headroomBar({ headroom, tone }: Pick<Cell, 'headroom' | 'tone'>, width: number): Span {
  const limit = Math.round(width * TO_LIMIT);
  const used = headroom === null ? 0 : Math.max(0, Math.min(width, Math.round((1 - headroom) * limit)));
  let text = '';
  for (let i = 0; i < width; i++) text += i === limit && used <= limit ? '│' : i < used ? '█' : '░';
  return headroom === null ? { text: '░'.repeat(width), tone: 'quiet' } : { text, tone };
}

export function meterBar({ share, tone }: Pick<Meter, 'share' | 'tone'>, width: number): Span {
  const filled = share > 0 ? Math.max(1, Math.round(share * width)) : 0;
  return { text: '█'.repeat(filled) + '░'.repeat(width - filled), tone };
}

const BARS = '▁▂▃▄▅▆▇█';

/** The newest values, oldest first; a gap stays empty. The limit is a full bar unless something is higher. */
export function sparkSpans(
  values: readonly (number | null)[],
  { limit, op }: Pick<ObjectiveGlance, 'limit' | 'op'>,
  width: number,
): Line {
  const newest = values.slice(-width);
  const top = Math.max(limit, ...newest.map((value) => value ?? 0)) || 1;
  const spans: Span[] = [{ text: ' '.repeat(width - newest.length) }];
  for (const value of newest) {
    const over = value !== null && (op.startsWith('<') ? value > limit : value < limit);
    const bar = value === null ? ' ' : BARS[Math.max(0, Math.min(7, Math.ceil((value / top) * 8) - 1))]!;
    const last = spans.at(-1)!;
    const tone: Span['tone'] = over ? 'bad' : 'quiet';
    if (last.tone === tone) spans[spans.length - 1] = { ...last, text: last.text + bar };
    else spans.push({ text: bar, tone });
  }
  return spans;
}
