import { BLANK, clipped, type Line, line } from '../draw/line.js';
import { chartLines, headLines, type Shown, shortObjectives } from './canary.js';
import { SMALLEST } from './frame.js';

/** So much of the terminal is taken at most: what was printed before stays in sight. */
const MOST_ROWS = 26;
const CHART_ROWS = 5;

/**
 * One canary while it is driven: what it is, its objectives, and charts where there is room.
 * @param rows of the terminal; what is drawn is lower
 */
export function inlineLines(shown: Shown, rows: number): Line[] {
  const { view, course, width } = shown;
  const shortest = line(view.summary[0] ?? view.row.state);
  if (width < SMALLEST.columns - 1 || rows < SMALLEST.rows) return [clipped(shortest, Math.max(1, width))];
  const room = Math.max(1, Math.min(MOST_ROWS, rows - 2));
  const head = [...headLines(shown), ...shortObjectives(shown)];
  const charts =
    course === null || course.evidence.length < 2 ? [] : chartLines({ ...shown, rows: CHART_ROWS }, course);
  const lines = [...head];
  // As many as there is room for, from the first, which is the evidence.
  for (const chart of groups(charts)) {
    if (lines.length + 1 + chart.length > room) break;
    lines.push(BLANK, ...chart);
  }
  return lines.slice(0, room).map((one) => clipped(one, width));
}

/** Lines between empty ones. */
function groups(lines: readonly Line[]): Line[][] {
  const found: Line[][] = [[]];
  for (const one of lines) {
    if (one === BLANK) found.push([]);
    else found.at(-1)!.push(one);
  }
  return found.filter((group) => group.length > 0);
}
