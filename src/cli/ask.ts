import { createInterface } from 'node:readline/promises';
import { LukhasError } from '../lib/errors.js';
import { visible } from '../lib/input/index.js';
import { tell } from './screen.js';

/** Whether a person is there to answer: a terminal at every end. */
export function canAsk(): boolean {
  return Boolean(process.stdin.isTTY && process.stdout.isTTY && process.stderr.isTTY);
}

/** As shells have it: 128 and the number of the signal. */
const SIGINT_EXIT = 130;

/** Questions to a person in a terminal, on stderr. */
export class Questions {
  /** @param usual what an empty answer means */
  async text(question: string, usual?: string): Promise<string> {
    const hint = usual === undefined ? '' : ` [${usual}]`;
    for (;;) {
      const answer = (await this.answer(`${question}${hint}: `)).trim();
      if (answer !== '') return answer;
      if (usual !== undefined) return usual;
    }
  }

  /** Asks again until the answer can be read; says what is wrong with one that cannot. @param usual as of `text` */
  async valid<T>(question: string, read: (answer: string) => T, usual?: string): Promise<T> {
    for (;;) {
      const answer = await this.text(question, usual);
      try {
        return read(answer);
      } catch (error) {
        if (!(error instanceof LukhasError) || error.code !== 'USAGE') throw error;
        tell(error.message);
      }
    }
  }

  /** @param usual what an empty answer means */
  async yes(question: string, usual = true): Promise<boolean> {
    for (;;) {
      const answer = (await this.answer(`${question} [${usual ? 'Y/n' : 'y/N'}]: `)).trim().toLowerCase();
      if (answer === '') return usual;
      if (['y', 'yes'].includes(answer)) return true;
      if (['n', 'no'].includes(answer)) return false;
      tell('y or n');
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

  /** The terminal is taken for one question only: between two of them Ctrl-C ends the command as usual. */
  private async answer(question: string): Promise<string> {
    const lines = createInterface({ input: process.stdin, output: process.stderr });
    const gone = new AbortController();
    let exit: number | undefined;
    const stop = (code?: number) => (): void => {
      exit ??= code;
      gone.abort();
    };
    // Ctrl-C, and Ctrl-D.
    lines.on('SIGINT', stop(SIGINT_EXIT)).on('close', stop());
    try {
      return await lines.question(visible(question), { signal: gone.signal });
    } catch (cause) {
      // What comes next does not belong behind the question.
      tell('');
      const how = exit === undefined ? {} : { exit };
      throw new LukhasError('STOPPED', 'stopped before anything was written', { cause, ...how });
    } finally {
      lines.close();
    }
  }
}
