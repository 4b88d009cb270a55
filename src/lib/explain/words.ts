export { clip, oneLine } from '../input/index.js';

/** Numbers as a person reads them; pure. */
export function percent(rate: number): string {
  const p = rate * 100;
  const digits = p === 0 ? 0 : p < 0.1 ? 3 : p < 10 ? 2 : 1;
  return `${Number(p.toFixed(digits))}%`;
}

export function count(n: number): string {
  return (n < 10 ? TENTHS : WHOLE).format(n);
}

/** Made once: `toLocaleString` makes one each time, which costs more than the rest of the text. */
const TENTHS = new Intl.NumberFormat('en-US', { maximumFractionDigits: 1 });
const WHOLE = new Intl.NumberFormat('en-US', { maximumFractionDigits: 0 });

export function seconds(s: number): string {
  if (s < 120) return `${Number(s.toFixed(s < 10 ? 1 : 0))} s`;
  const minutes = Math.floor(s / 60);
  const rest = Math.round(s - minutes * 60);
  if (minutes < 120) return rest === 0 ? `${minutes} min` : `${minutes} min ${rest} s`;
  return `${Number((s / 3600).toFixed(1))} h`;
}

export function milliseconds(ms: number): string {
  return `${Number(ms.toPrecision(4))} ms`;
}

/** An e-value as odds: "340:1" is evidence against the canary, "1:4" evidence for it. */
export function odds(logE: number): string {
  if (logE >= Math.log(1e6)) return 'over a million:1';
  if (logE >= 0) return `${odd(Math.exp(logE))}:1`;
  if (logE <= -Math.log(1e6)) return '1:over a million';
  return `1:${odd(Math.exp(-logE))}`;
}

function odd(x: number): string {
  return x < 10 ? String(Number(x.toFixed(1))) : count(Math.round(x));
}

/** `2026-03-01 12:00:20 UTC`; whole seconds. */
export function moment(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19).replace('T', ' ')} UTC`;
}

/** The time of day where the day is that of `day`, else `moment`; UTC. */
export function timeOn(ms: number, day: number): string {
  const [date = '', time = ''] = moment(ms).split(' ');
  return moment(day).startsWith(date) ? time : moment(ms);
}

/** `1 check`, `3 checks`. */
export function plural(n: number, one: string, many = `${one}s`): string {
  return `${count(n)} ${n === 1 ? one : many}`;
}

/** An assumption as a verdict records it, in the words of explanations: recorded verdicts keep theirs. */
export function assumptionText(recorded: string): string {
  return recorded
    .replace(
      'independent but for the correlation estimated from earlier ticks',
      'independent apart from the correlation seen in earlier checks',
    )
    .replace('share one fate', 'fail together')
    .replace('carry no promised error', 'leave the risk of a wrong decision unknown');
}
