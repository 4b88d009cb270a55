import type { Missing } from '../../judge/index.js';
import type { ArmCursor, Line } from './cursor.js';
import type { ProcessLook } from './processes.js';

/** What is kept of an arm is stored at each check: about so many characters, which are 100,000 series of one process. */
const MOST = 8 * 1024 * 1024;
/** What a process and a series take besides their names. */
const PROCESS = 250;
const SERIES = 30;

/** Whether what a look shows is more than an arm may have. Labels may be of any length, and of any number. */
export function tooMuchShown(looks: readonly ProcessLook[]): Missing | null {
  let [series, size] = [0, 0];
  for (const look of looks) {
    size += PROCESS;
    for (const key of look.series.keys()) size += key.length + SERIES;
    series += look.series.size;
    for (const found of look.histograms) {
      if (!(found instanceof Map)) continue;
      series += found.size;
      for (const [key, { totals }] of found) size += key.length + SERIES * totals.length;
    }
  }
  return size <= MOST ? null : tooMuch(looks.length, series, size);
}

/** The same of what is kept: of series that come and go, with a label for each request, it grows with every look. */
export function tooMuchKept({ processes }: ArmCursor): Missing | null {
  let [count, series, size] = [0, 0, 0];
  for (const { away = [], other, ...own } of Object.values(processes)) {
    count += 1;
    const line = sizeOf(own);
    series += line.series;
    size += PROCESS + line.size + (other === undefined ? 0 : sizeOf(other).size);
    for (const key of away) size += key.length;
  }
  return size <= MOST ? null : tooMuch(count, series, size);
}

function sizeOf({ series, histograms }: Line): { series: number; size: number } {
  const all = { series: 0, size: 0 };
  for (const key in series) {
    all.series += 1;
    all.size += key.length + SERIES;
  }
  for (const found of Object.values(histograms)) {
    for (const [key, { totals }] of Object.entries(found ?? {})) {
      all.series += 1;
      all.size += key.length + SERIES * totals.length;
    }
  }
  return all;
}

function tooMuch(processes: number, series: number, size: number): Missing {
  const shown = `${series.toLocaleString('en')} series of ${processes.toLocaleString('en')} processes`;
  const detail = `${shown} are selected, ${Math.ceil(size / 1024 / 1024)} MiB with their labels; at most 8 MiB are counted: select fewer, or leave out labels with a value for each request`;
  return { state: 'invalid', detail };
}
