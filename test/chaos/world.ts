import { type ChildProcess, spawn } from 'node:child_process';
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const BIN = fileURLToPath(new URL('../../bin/run.js', import.meta.url));
/** Ticks of a canary's file of observations, and requests in each. */
export const TICKS = 60;
export const REQUESTS = 500;

export interface Ended {
  code: number | null;
  signal: NodeJS.Signals | null;
  stdout: string;
  stderr: string;
}

export interface Running {
  child: ChildProcess;
  ended: Promise<Ended>;
  stderr(): string;
}

/** Notes each call, and whether another one of this world was under way. */
const hookScript = (dir: string) => `#!/bin/sh
cd ${dir}/hooks || exit 1
if ! mkdir running 2>/dev/null && kill -0 "$(cat running/pid)" 2>/dev/null; then echo "overlap $LUKHAS_ACTION $LUKHAS_IDEMPOTENCY_KEY" >> calls; fi
mkdir -p running; echo $$ > running/pid
echo "begin $LUKHAS_ACTION $LUKHAS_IDEMPOTENCY_KEY $LUKHAS_ATTEMPT" >> calls
sleep 0.3
echo "end $LUKHAS_ACTION $LUKHAS_IDEMPOTENCY_KEY $LUKHAS_ATTEMPT" >> calls
rm -r running
`;
const jobScript = (dir: string) => `#!/bin/sh
echo "$LUKHAS_JOB_ID" >> ${dir}/hooks/jobs
sleep "$1"
echo '{"metric":1}'
`;
const config = (dir: string) => `tasks:
  short: { command: [${dir}/job.sh, "0.2"], timeout: 60s }
  long: { command: [${dir}/job.sh, "53"], timeout: 120s }
hooks:
  promote: [{ name: shift, exec: { command: [${dir}/hook.sh], timeoutSeconds: 30 } }]
  rollback: [{ name: back, exec: { command: [${dir}/hook.sh], timeoutSeconds: 30 } }]
`;

/** A folder with a database, a configuration with hooks and tasks, and files of observations. */
export class World {
  readonly db: string;

  private constructor(readonly dir: string) {
    this.db = join(dir, 'lukhas.db');
  }

  /** @param below an existing folder; a new temporary one when left out */
  static make(below?: string): World {
    const dir = below ?? realpathSync(mkdtempSync(join(tmpdir(), 'lukhas-chaos-')));
    const world = new World(dir);
    mkdirSync(join(dir, 'hooks'));
    mkdirSync(join(dir, 'home'));
    for (const [name, bad] of [
      ['good', 0],
      ['bad', REQUESTS / 5],
    ] as const)
      writeFileSync(join(dir, `${name}.ndjson`), observations(bad));
    world.#scripts();
    return world;
  }

  /** The same world, as it stands, in a folder of its own. */
  copy(below?: string): World {
    const dir = below ?? realpathSync(mkdtempSync(join(tmpdir(), 'lukhas-chaos-')));
    cpSync(this.dir, dir, { recursive: true });
    const world = new World(dir);
    world.#scripts();
    return world;
  }

  #scripts(): void {
    for (const [name, text] of [
      ['hook.sh', hookScript(this.dir)],
      ['job.sh', jobScript(this.dir)],
    ] as const) {
      writeFileSync(join(this.dir, name), text);
      chmodSync(join(this.dir, name), 0o755);
    }
    writeFileSync(join(this.dir, 'lukhas.yaml'), config(this.dir));
  }

  /** @param before what the command is run under, e.g. `strace` with its arguments */
  start(args: readonly string[], before: readonly string[] = [], env: Record<string, string> = {}): Running {
    const [program = '', ...rest] = [...before, process.execPath, BIN, ...args];
    const child = spawn(program, rest, {
      cwd: this.dir,
      env: { PATH: process.env['PATH'] ?? '', HOME: join(this.dir, 'home'), LUKHAS_MCP_DB: this.db, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let [stdout, stderr] = ['', ''];
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      stdout += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr += text;
    });
    const ended = new Promise<Ended>((resolve, reject) => {
      child.once('error', reject);
      // Not 'close': a program that it left behind may hold the pipes.
      child.once('exit', (code, signal) => setTimeout(() => resolve({ code, signal, stdout, stderr }), 30));
    });
    return { child, ended, stderr: () => stderr };
  }

  run(args: readonly string[], before: readonly string[] = [], env: Record<string, string> = {}): Promise<Ended> {
    return this.start(args, before, env).ended;
  }

  /** Calls of hooks, in order: `begin ACTION KEY ATTEMPT`, `end ...`, `overlap ...`. */
  hookCalls(): string[] {
    return this.#linesOf('hooks/calls');
  }

  /** Ids of the jobs whose program began, in order. */
  jobsBegun(): string[] {
    return this.#linesOf('hooks/jobs');
  }

  #linesOf(name: string): string[] {
    const path = join(this.dir, name);
    return existsSync(path) ? readFileSync(path, 'utf8').split('\n').filter(Boolean) : [];
  }

  /** Pids of programs that run in this folder. */
  processes(): number[] {
    return readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name))
      .map(Number)
      .filter((pid) => {
        try {
          return readlinkSync(`/proc/${pid}/cwd`).startsWith(this.dir);
        } catch {
          return false;
        }
      });
  }

  /** Waits for hooks and jobs that are about to end. @returns the pids of what still runs after `ms` */
  async left(ms = 5000): Promise<number[]> {
    for (const until = Date.now() + ms; ; await wait(50)) {
      const pids = this.processes();
      if (pids.length === 0 || Date.now() > until) return pids;
    }
  }

  async remove(): Promise<void> {
    for (const pid of this.processes()) {
      try {
        process.kill(pid, 'SIGKILL');
      } catch {
        // It has ended meanwhile.
      }
    }
    rmSync(this.dir, { recursive: true, force: true, maxRetries: 3 });
  }
}

function observations(bad: number): string {
  const begin = Date.UTC(2026, 0, 1);
  return Array.from({ length: TICKS }, (_, k) => {
    const errors = { state: 'ok', bad, total: REQUESTS };
    return `${JSON.stringify({ v: 1, t: begin + (k + 1) * 1000, from: begin + k * 1000, canary: { errors } })}\n`;
  }).join('');
}
