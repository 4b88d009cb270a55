import type { Missing } from '../../judge/index.js';
import { type Comparison, compare, countingOn, highestOf, isBelow } from './compare.js';
import type { OtherLine, ProcessCursor } from './cursor.js';
import type { Plan } from './plan.js';
import type { ProcessLook } from './processes.js';
import { broken, fallText, inTurn, QUIET_LOOKS, tooMuch, type Verdict } from './verdict.js';

/** So many looks in a row the rise may become faster, before it is no measure of what is believed. */
const MOST_RISES = 5;
/** For so many looks a line is remembered that the counters left. */
const REMEMBERED_LOOKS = 20;

/** Of a process that does not say when it began, only the values tell what happened. */
export function namelessVerdict(
  look: ProcessLook,
  before: ProcessCursor,
  compared: Comparison,
  elapsed: number,
  plan: Plan,
): Verdict {
  return new Nameless(look, before, compared, elapsed, plan).verdict();
}

/** The most that a counter usually rises by that is expected to rise by so much. */
export function usualMost(expected: number): number {
  return 2 * expected + 4 * Math.sqrt(expected) + 10;
}

class Nameless {
  /** What one series is expected to rise by at most, going by how it did of late; null: nothing is known of that. */
  private readonly expected: number | null;

  constructor(
    private readonly look: ProcessLook,
    private readonly before: ProcessCursor,
    private readonly compared: Comparison,
    private readonly elapsed: number,
    private readonly plan: Plan,
  ) {
    this.expected = before.rate === null ? null : before.rate * elapsed;
  }

  verdict(): Verdict {
    const { turn, other } = this.before;
    const { fell, rise } = this.compared;
    if (turn !== undefined) return this.stillInTurn(turn);
    if (other?.held) return other.risen ? this.afterRise(other) : this.afterFall(other);
    const back = other !== undefined && this.isBack(other);
    if (fell !== null) return back || this.afterJump(other) ? this.turns() : this.fall();
    if (back && !this.usual(rise)) return this.turns();
    if (this.before.gone && rise > 0 && this.expected !== null && !this.usual(rise))
      return broken('unstable', `${this.look.shown} was gone and is back with ${rise} more: its counts start here`);
    if (this.tooFast(rise, other)) {
      if (!this.expected) return this.risen(this.left({ held: true, risen: true, rate: rise / this.elapsed }));
      return { ...tooMuch(this.look, rise, this.elapsed), other: this.left({ rate: rise / this.elapsed }) };
    }
    return back ? { kind: 'count' } : { kind: 'count', ...this.rememberedBefore(rise) };
  }

  /** Counts that rise unusually may be those of another process: then they fall back to where they were. */
  private rememberedBefore(rise: number): { other?: OtherLine } {
    const { rate } = this.before;
    const kept = this.remembered();
    const { other } = kept;
    if (this.usual(rise) || (other !== undefined && rise <= (other.rose?.by ?? Infinity))) return kept;
    return { other: this.left({ rose: { by: rise, calm: rate } }) };
  }

  private stillInTurn(turn: number): Verdict {
    const { fell, rise } = this.compared;
    const quiet = fell === null && (this.expected === null || this.usual(rise)) ? turn + 1 : 0;
    const verdict = { ...inTurn(this.look), ...(quiet === 0 ? { other: this.left({}) } : this.remembered()) };
    return quiet >= QUIET_LOOKS ? verdict : { ...verdict, turn: quiet };
  }

  private turns(): Verdict {
    return { ...inTurn(this.look), turn: 0, other: this.left({}) };
  }

  /** The fall of the last look was a restart, unless the counters are back where they were, or it was too much for one. */
  private afterFall(other: OtherLine): Verdict {
    const { fell, rise } = this.compared;
    if (fell !== null) {
      return this.expected !== null && this.mayBeRestart()
        ? { kind: 'again', reset: true, restart: true, other: this.heldLine(), missing: this.fallen() }
        : this.dip();
    }
    if (this.isBack(other)) {
      // A young process that restarts is soon where it was.
      if (this.usual(highestOf(other))) return { kind: 'confirm', restart: true };
      return this.usual(rise) ? { kind: 'count' } : this.turns();
    }
    const span = Math.max(1, this.before.seen - other.seen);
    const likely = this.expected !== null || highestOf(this.before) <= 5 * (rise / this.elapsed) * span + 100;
    return likely ? { kind: 'confirm', restart: true } : { kind: 'count' };
  }

  private risen(other: OtherLine): Verdict {
    const { look, compared, elapsed } = this;
    const detail = `a counter of ${look.shown} rose by ${compared.rise} in ${elapsed / 1000} s: the next check tells whether it goes on so`;
    return { kind: 'held', missing: { state: 'unchanged', detail }, other };
  }

  /**
   * The last rise was too fast for a process whose rate was not known. If this one is as fast, both are its own: another
   * process of so many counts would have to have made them in hardly more time.
   */
  private afterRise(other: OtherLine): Verdict {
    const { fell, rise } = this.compared;
    if (fell !== null) {
      const back = compare(other, this.look, this.plan).fell === null;
      return { ...(back ? this.turns() : this.fall()), dropped: true };
    }
    const expected = (other.rate ?? 0) * this.elapsed;
    if (rise > 2 * expected + 1000 && other.looks < MOST_RISES)
      return this.risen({ ...other, looks: other.looks + 1, rate: rise / this.elapsed });
    if (rise >= expected / 2) return { kind: 'count', since: other };
    return { kind: 'count', dropped: true, ...this.remembered() };
  }

  private fall(): Verdict {
    if (!this.mayBeRestart()) return this.dip();
    return { kind: 'held', reset: true, other: this.heldLine(), missing: this.fallen() };
  }

  private heldLine(): OtherLine {
    const on = countingOn(this.before, this.look, this.plan);
    return this.left({ held: true, ...(on.length === 0 ? {} : { on }) });
  }

  private dip(): Verdict {
    const detail = `${fallText(this.compared.fell!)}, more than a restart would leave`;
    return { ...broken('unstable', detail), reset: true, other: this.left({}) };
  }

  private fallen(): Missing {
    return { state: 'unstable', detail: `${fallText(this.compared.fell!)}: the next check tells whether by a restart` };
  }

  /** Whether all that it shows can have been counted since the last look. */
  private mayBeRestart(): boolean {
    const { halved, decimated, highest } = this.compared;
    const { expected } = this;
    if (expected === null) return halved && highest <= this.elapsed + 1000;
    if (highest <= 1.5 * expected + 4 * Math.sqrt(expected) + 5) return true;
    return decimated && highest <= 10 * expected + 100;
  }

  private usual(rise: number): boolean {
    const { expected } = this;
    return expected !== null && rise <= usualMost(expected);
  }

  /** After a jump up that goes on, the traffic grew. */
  private tooFast(rise: number, other: OtherLine | undefined): boolean {
    const { elapsed, expected } = this;
    if (other?.rate !== undefined && other.looks === 0 && rise <= 2 * other.rate * elapsed) return false;
    return (
      rise > (expected === null || expected === 0 ? elapsed + 1000 : 10 * expected + 4 * Math.sqrt(expected) + 200)
    );
  }

  /** Whether the counters, having been below an earlier line, are on it again. */
  private isBack(other: OtherLine): boolean {
    return compare(other, this.look, this.plan).fell === null && isBelow(this.before, other);
  }

  /** Whether they fell back to where they were before they jumped. */
  private afterJump(other: OtherLine | undefined): boolean {
    if (other === undefined || other.above) return false;
    const since = compare(other, this.look, this.plan);
    if (since.fell !== null) return false;
    const { rose } = other;
    if (rose !== undefined && this.mayBeRestart()) return false;
    if (rose?.calm === null) return since.rise <= rose.by / 2;
    const rate = rose?.calm ?? this.before.rate;
    const expected = rate === null ? 0 : rate * Math.max(1, this.look.time - other.seen);
    return since.rise <= 2 * expected + 4 * Math.sqrt(expected) + 100;
  }

  private left(more: { held?: true; on?: string[]; risen?: true; rate?: number; rose?: OtherLine['rose'] }): OtherLine {
    const { series, histograms, seen } = this.before;
    return { series, histograms, seen, looks: 0, above: this.compared.fell !== null, held: false, ...more };
  }

  private remembered(): { other?: OtherLine } {
    const { other } = this.before;
    if (other === undefined || other.looks >= REMEMBERED_LOOKS) return {};
    const { risen: _, on: __, ...line } = other;
    return { other: { ...line, looks: other.looks + 1, held: false } };
  }
}
