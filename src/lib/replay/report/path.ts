import { pixel } from './scale.js';
import type { Sample } from './trace.js';

type Place = (value: number) => number;

/** Writes a path with relative steps, which takes half the bytes. */
class Pen {
  text = '';
  #x = 0;
  #y = 0;

  move(x: number, y: number): void {
    this.#go('m', x, y);
  }

  line(x: number, y: number): void {
    this.#go('l', x, y);
  }

  dot(x: number, y: number): void {
    this.move(x, y);
    this.text += 'h0';
  }

  #go(step: string, x: number, y: number): void {
    const [toX, toY] = [pixel(x), pixel(y)];
    const [dx, dy] = [pixel(toX - this.#x), pixel(toY - this.#y)];
    this.text += `${step}${dx}${dy < 0 ? '' : ' '}${dy}`;
    [this.#x, this.#y] = [toX, toY];
  }
}

/** A line through the samples; where many were put together it runs over the least and the greatest of them. */
export function linePath(samples: readonly Sample[], x: Place, y: Place): string {
  const pen = new Pen();
  let before = 0;
  for (const [i, sample] of samples.entries()) {
    const at = x(sample.t);
    const ends = [y(sample.low), y(sample.high)].sort((a, b) => Math.abs(a - before) - Math.abs(b - before));
    const [near = 0, far = 0] = ends;
    before = far;
    if (sample.broken) {
      pen.dot(at, near);
      if (far !== near) pen.dot(at, far);
      continue;
    }
    const alone = !sample.joined && samples[i + 1]?.joined !== true;
    if (sample.joined) pen.line(at, near);
    else if (alone && far === near) pen.dot(at, near);
    else pen.move(at, near);
    if (far !== near) pen.line(at, far);
  }
  return pen.text;
}

/** The area between low and high of the samples; one that stands alone is an upright line. */
export function bandPath(samples: readonly Sample[], x: Place, y: Place): string {
  const pen = new Pen();
  for (const piece of pieces(samples)) {
    const [first] = piece;
    if (first === undefined) continue;
    pen.move(x(first.t), y(first.high));
    for (const s of piece.slice(1)) pen.line(x(s.t), y(s.high));
    for (const s of [...piece].reverse()) pen.line(x(s.t), y(s.low));
    // Back to the start by a line, not by z, so that the pen knows its position.
    pen.line(x(first.t), y(first.high));
  }
  return pen.text;
}

function pieces(samples: readonly Sample[]): Sample[][] {
  const all: Sample[][] = [];
  for (const sample of samples) {
    if (sample.joined) all.at(-1)?.push(sample);
    else all.push([sample]);
  }
  return all;
}
