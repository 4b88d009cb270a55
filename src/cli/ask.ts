import { createInterface, type Interface } from 'node:readline/promises';
import { LukhasError } from '../lib/errors.js';
import { visible } from '../lib/input/index.js';
import { tell } from './screen.js';

/** Whether a person is there to answer: a terminal at every end. */
export function canAsk(): boolean {
  return Boolean(process.stdin.isTTY && process.stdout.isTTY && process.stderr.isTTY);
}

/** Questions to a person in a terminal, on stderr. */
export class Questions {
  private readonly lines: Interface = createInterface({ input: process.stdin, output: process.stderr });
  private readonly gone = new AbortController();

  constructor() {
    // Ctrl-C and Ctrl-D.
    this.lines.on('SIGINT', () => this.gone.abort()).on('close', () => this.gone.abort());
  }

  /** @param usual what an empty answer means */
  async text(question: string, usual?: string): Promise<string> {
    const hint = usual === undefined ? '' : ` [${usual}]`;
    for (;;) {
      const answer = (await this.answer(`${question}${hint}: `)).trim();
      if (answer !== '') return answer;
      if (usual !== undefined) return usual;
    }
  }

  async yes(question: string): Promise<boolean> {
    for (;;) {
      const answer = (await this.answer(`${question} [Y/n]: `)).trim().toLowerCase();
      if (['', 'y', 'yes'].includes(answer)) return true;
      if (['n', 'no'].includes(answer)) return false;
    }
  }

  /** One of several, by its number; the first is the usual one. @returns its index */
  async choice(question: string, options: readonly string[]): Promise<number> {
    tell(question);
    for (const [index, option] of options.entries()) tell(`  ${index + 1}) ${visible(option)}`);
    for (;;) {
      const number = Number(await this.text('number', '1'));
      if (Number.isInteger(number) && number >= 1 && number <= options.length) return number - 1;
      tell(`a number from 1 to ${options.length}`);
    }
  }

  close(): void {
    this.lines.close();
  }

  private async answer(question: string): Promise<string> {
    try {
      return await this.lines.question(visible(question), { signal: this.gone.signal });
    } catch (cause) {
      throw new LukhasError('STOPPED', 'stopped before anything was written', { cause });
    }
  }
}
