import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { until } from '../until.js';
import { ROOT, type Workspace } from './lukhas.js';

/** Somebody at a terminal of its own (that of `script`), who reads what is shown and types. */
export class Typist {
  private readonly child: ChildProcess;
  private readonly ended: Promise<number | null>;
  private over = false;
  private written = '';
  /** How much of it was read. */
  private read = 0;

  /** @param command what stands after `lukhas` */
  constructor(where: Workspace, command: string) {
    const line = `"${process.execPath}" "${join(ROOT, 'bin', 'run.js')}" ${command}`;
    this.child = spawn('script', ['-qec', line, '/dev/null'], { cwd: where.dir, env: where.environment() });
    this.child.stdout!.on('data', (part: Buffer) => {
      this.written += part.toString();
    });
    this.ended = new Promise((resolve) => {
      this.child.once('close', (code) => {
        this.over = true;
        resolve(code);
      });
    });
  }

  /** All that was shown. */
  get shown(): string {
    return stripVTControlCharacters(this.written).replaceAll('\r', '');
  }

  /** Waits for a text that was not read yet, and types the answer. */
  async types(question: string, answer: string): Promise<void> {
    await until(() => this.over || this.shown.includes(question, this.read), 20);
    const at = this.shown.indexOf(question, this.read);
    if (at < 0) throw new Error(`ended without ${JSON.stringify(question)}:\n${this.shown}`);
    this.read = at + question.length;
    this.child.stdin!.write(answer);
  }

  /** The exit code. */
  end(): Promise<number | null> {
    return this.ended;
  }
}
