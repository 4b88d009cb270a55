import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { until } from '../until.js';

export interface TerminalState {
  alternate: boolean;
  cursor: boolean;
}

/** A terminal with a shell in it, as somebody sits at: tmux without any configuration. */
export class Tmux {
  readonly #folder = mkdtempSync(join(tmpdir(), 'lukhas-tmux-'));

  constructor(
    size: { columns: number; rows: number },
    { cwd, env = {} }: { cwd: string; env?: Readonly<Record<string, string>> },
  ) {
    const shell = ['env', ...Object.entries(env).map(([name, value]) => `${name}=${value}`), 'bash', '--norc', '-i'];
    const { columns, rows } = size;
    this.#tmux('new-session', '-d', '-x', String(columns), '-y', String(rows), '-c', cwd, shell.map(quoted).join(' '));
    this.#tmux('set-option', '-g', 'status', 'off');
    this.resize(columns, rows);
  }

  /** Types a line into the shell. */
  runs(line: string): void {
    this.#tmux('send-keys', '-l', line);
    this.press('Enter');
  }

  /** Keys by their tmux names: `Enter`, `C-c`, `PageDown`, `a`. */
  press(...keys: string[]): void {
    this.#tmux('send-keys', ...keys);
  }

  /** Text as it stands. */
  types(text: string): void {
    this.#tmux('send-keys', '-l', text);
  }

  resize(columns: number, rows: number): void {
    this.#tmux('resize-window', '-x', String(columns), '-y', String(rows));
  }

  /** What is on the screen, without spaces at the ends of lines. */
  screen(): string {
    return this.#tmux('capture-pane', '-p');
  }

  state(): TerminalState {
    const [alternate, cursor] = this.#tmux('display-message', '-p', '#{alternate_on} #{cursor_flag}').trim().split(' ');
    return { alternate: alternate === '1', cursor: cursor === '1' };
  }

  /** Waits until the screen has it; says what was there when the test is over. */
  async shows(what: string | RegExp): Promise<string> {
    let screen = '';
    await until(() => {
      screen = this.screen();
      return typeof what === 'string' ? screen.includes(what) : what.test(screen);
    }, 50);
    return screen;
  }

  close(): void {
    this.#tmux('kill-server');
    rmSync(this.#folder, { recursive: true, force: true });
  }

  #tmux(...args: string[]): string {
    const { TMUX: _, ...env } = process.env;
    return execFileSync('tmux', ['-S', join(this.#folder, 'socket'), '-f', '/dev/null', ...args], {
      encoding: 'utf8',
      env: { ...env, LANG: 'C.UTF-8', LC_ALL: 'C.UTF-8' },
    });
  }
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
